#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "heap/json/heap_source.h"

/** A folder of this test's own, gone with everything in it at the end. */
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int next = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("crucible-heap-test-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + "-" + std::to_string(next++));
    std::filesystem::create_directory(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  [[nodiscard]] std::size_t file_count() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
    return count;
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline crucible::heap::ReadHeap read_heap(const std::string& path, bool redact = false) {
  crucible::heap::Progress progress;
  return crucible::heap::ReadHeap({path, {}}, {.threads = 1, .redact = redact}, progress);
}
