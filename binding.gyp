{
  "targets": [
    {
      "target_name": "core",
      "sources": [
        "native/addon/addon.cc",
        "native/addon/capture_binding.cc",
        "native/addon/recording_binding.cc",
        "native/process/allocator.cc",
        "native/process/sampler.cc",
        "native/process/sampler_thread.cc",
        "native/recording/block_file.cc",
        "native/recording/stream.cc",
        "native/recording/writer.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS"],
      # C++20 everywhere: this target sees only Node-API's C header, never V8's, so it
      # need not be built with the dialect that Node itself was built with.
      "cflags": ["-Wall", "-Wextra"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-std=gnu++17"],
      "cflags_cc": ["-std=gnu++20"],
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
        "CLANG_CXX_LIBRARY": "libc++",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "WARNING_CFLAGS": ["-Wall", "-Wextra"],
      },
      "msvs_settings": {
        "VCCLCompilerTool": {
          "ExceptionHandling": 1,
          "AdditionalOptions": ["/std:c++20"],
          "AdditionalOptions!": ["-std:c++17", "/std:c++17"],
        },
      },
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/process/memory_map_linux.cc",
            "native/process/memory_source_linux.cc",
            "native/process/proc_file_linux.cc",
            "native/process/thread_stacks_linux.cc",
          ],
          "libraries": ["-ldl", "-lpthread"],
        }],
        ["OS=='mac'", { "sources": ["native/process/memory_source_mac.cc"] }],
        ["OS=='win'", {
          "sources": [
            "native/process/memory_source_windows.cc",
            "native/recording/mapped_file_windows.cc",
          ],
          "defines": ["NOMINMAX", "WIN32_LEAN_AND_MEAN", "UNICODE"],
          "libraries": ["-lpsapi.lib"],
        }, {
          "sources": ["native/recording/mapped_file_posix.cc"],
          "cflags_cc": ["-fvisibility=hidden"],
        }],
      ],
    },
  ],
}
