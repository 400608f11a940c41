#include <memory>
#include <utility>
#include <vector>

#include "../process/tick_follower.h"
#include "addon.h"
#include "convert.h"
#include "recording_binding.h"
#include "sampler_values.h"
#include "sharing_binding.h"

namespace crucible::addon {

namespace {

using process::TickFollower;

/** NativeFollower of src/native.ts. Stays alive, whoever forgets it, until it is stopped or its thread ends. */
class FollowerBinding : public Napi::ObjectWrap<FollowerBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeFollower",
                       {
                           InstanceMethod<&FollowerBinding::stop>("stop"),
                           InstanceMethod<&FollowerBinding::statistics>("statistics"),
                           InstanceMethod<&FollowerBinding::set_rate>("setRate"),
                           InstanceMethod<&FollowerBinding::watch_slots>("watchSlots"),
                           InstanceMethod<&FollowerBinding::link>("link"),
                       });
  }

  explicit FollowerBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FollowerBinding>(info) {
    converting_errors(info.Env(), [&] {
      auto& state = *info.Env().GetInstanceData<AddonState>();
      const auto options = to_object(info[0], "the options");
      auto ticks = shared_ticks();
      if (!ticks) throw wrong_argument("no sampler is shared any more", "a sampler that runs");
      follower_ = std::make_shared<TickFollower>(to_recording(options.Get("recording")), std::move(ticks),
                                                 to_number(options.Get("rateHz"), "rateHz"));
      state.followers.push_back(follower_);
    });
    Ref();
    is_held_ = true;
  }

 private:
  Napi::Value stop(const Napi::CallbackInfo& info) {
    const auto statistics = follower_->stop();
    watched_.clear();
    if (std::exchange(is_held_, false)) Unref();
    return to_js(info.Env(), statistics);
  }

  Napi::Value statistics(const Napi::CallbackInfo& info) { return to_js(info.Env(), follower_->statistics()); }

  void set_rate(const Napi::CallbackInfo& info) {
    converting_errors(info.Env(), [&] { follower_->set_rate(to_number(info[0], "rateHz")); });
  }

  void watch_slots(const Napi::CallbackInfo& info) {
    converting_errors(info.Env(), [&] { watched_.push_back(watch_slots_of(follower_->slots(), info[0])); });
  }

  Napi::Value link(const Napi::CallbackInfo& info) {
    return to_js_link(info.Env(), follower_->writer(), follower_->ticks());
  }

  std::shared_ptr<TickFollower> follower_;
  /** Keep their memory for as long as it is read. */
  std::vector<Napi::ObjectReference> watched_;
  bool is_held_ = false;
};

Napi::Value follow_sampler(const Napi::CallbackInfo& info) {
  if (!shared_ticks()) return info.Env().Null();
  return info.Env().GetInstanceData<AddonState>()->follower_class.New({info[0]});
}

}  // namespace

void register_follower(Napi::Env env, Napi::Object exports) {
  env.GetInstanceData<AddonState>()->follower_class = Napi::Persistent(FollowerBinding::define(env));
  exports.Set("followSampler", Napi::Function::New(env, follow_sampler, "followSampler"));
}

}  // namespace crucible::addon
