#include "addon.h"

#include "../process/sampler.h"
#include "../process/tick_follower.h"
#include "convert.h"
#include "sharing_binding.h"

namespace crucible::addon {

Napi::FunctionReference& error_maker(Napi::Env env) { return env.GetInstanceData<AddonState>()->make_error; }

AddonState::~AddonState() {
  for (const auto& weak : followers)
    if (const auto follower = weak.lock()) follower->stop();
  for (const auto& weak : samplers)
    if (const auto sampler = weak.lock()) {
      stop_sharing(sampler->ticks());
      sampler->stop();
    }
}

namespace {

void on_error(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<AddonState>()->make_error = Napi::Persistent(info[0].As<Napi::Function>());
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new AddonState);  // deleted with the environment
  exports.Set("onError", Napi::Function::New(env, on_error, "onError"));
  register_recording(env, exports);
  register_decoding(env, exports);
  register_capture(env, exports);
  register_follower(env, exports);
  register_heap(env, exports);
  register_sharing(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(core, initialize)

}  // namespace crucible::addon
