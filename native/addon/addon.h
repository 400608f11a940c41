#pragma once

#include <napi.h>

#include <memory>
#include <vector>

namespace crucible::process {
class Sampler;
class TickFollower;
}

/** One instance of the addon for each thread that runs JavaScript; they share only what sharing_binding.cc shares. */
namespace crucible::addon {

struct AddonState {
  /** Stops the samplers while their thread's environment is being taken down, before the code may be unloaded. */
  ~AddonState();

  /** Given by src/native.ts; makes a CrucibleMemoryError of (code, {what, why, fix}). */
  Napi::FunctionReference make_error;
  Napi::FunctionReference recording_class;
  Napi::FunctionReference sampler_class;
  Napi::FunctionReference heap_class;
  Napi::FunctionReference follower_class;
  std::vector<std::weak_ptr<process::Sampler>> samplers;
  std::vector<std::weak_ptr<process::TickFollower>> followers;
};

/** recording_binding.cc: what src/recording needs. */
void register_recording(Napi::Env env, Napi::Object exports);
/** decoding_binding.cc: what reading a recording spends its time on. */
void register_decoding(Napi::Env env, Napi::Object exports);
/** capture_binding.cc: what src/capture needs. */
void register_capture(Napi::Env env, Napi::Object exports);
/** follower_binding.cc: a worker thread's recording on the ticks of its process. */
void register_follower(Napi::Env env, Napi::Object exports);
/** heap_binding.cc: what src/snapshot needs. */
void register_heap(Napi::Env env, Napi::Object exports);
/** sharing_binding.cc: one recording for all threads of the process, and for isolate.node. */
void register_sharing(Napi::Env env, Napi::Object exports);

}  // namespace crucible::addon
