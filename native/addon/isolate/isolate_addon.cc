#include "isolate_addon.h"

#include "../convert.h"

namespace crucible::addon {

Napi::FunctionReference& error_maker(Napi::Env env) { return env.GetInstanceData<IsolateAddonState>()->make_error; }

IsolateAddonState::~IsolateAddonState() {
  for (const auto& slot : samplers) slot->stop();
}

namespace {

void on_error(const Napi::CallbackInfo& info) {
  error_maker(info.Env()) = Napi::Persistent(info[0].As<Napi::Function>());
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new IsolateAddonState);  // deleted with the environment
  exports.Set("onError", Napi::Function::New(env, on_error, "onError"));
  exports.Set("abi", isolate::built_for_abi());
  register_heap_sampler(env, exports);
  register_profile(env, exports);
  register_snapshot(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(isolate, initialize)

}  // namespace crucible::addon
