#include <cmath>
#include <utility>

#include "../convert.h"
#include "isolate_addon.h"

namespace crucible::addon {

namespace {

/** NativeHeapSampler of src/native.ts. Works on, whoever forgets it, until it is stopped or its thread ends. */
class HeapSamplerBinding : public Napi::ObjectWrap<HeapSamplerBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeHeapSampler",
                       {
                           InstanceMethod<&HeapSamplerBinding::stop>("stop"),
                           InstanceMethod<&HeapSamplerBinding::statistics>("statistics"),
                           InstanceMethod<&HeapSamplerBinding::arm_memory_alarm>("armMemoryAlarm"),
                       });
  }

  explicit HeapSamplerBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<HeapSamplerBinding>(info) {
    converting_errors(info.Env(), [&] {
      const auto options = to_object(info[0], "the options");
      const double ticks = to_number(options.Get("ticksPerSample"), "ticksPerSample");
      if (!(ticks >= 1 && ticks <= 1e6) || ticks != std::floor(ticks))
        throw wrong_argument("ticksPerSample is " + std::to_string(ticks), "a whole number from 1");
      uv_loop_s* event_loop = nullptr;
      if (napi_get_uv_event_loop(info.Env(), &event_loop) != napi_ok)
        throw wrong_argument("this thread has no event loop", "one of Node's threads");
      slot_->sampler = std::make_unique<isolate::HeapSampler>(
          isolate::this_isolate(), isolate::HeapSamplerOptions{
                                       to_link(options.Get("link")),
                                       to_text(options.Get("prefix"), "prefix"),
                                       static_cast<std::uint32_t>(ticks),
                                       to_number(options.Get("spacesIntervalMs"), "spacesIntervalMs"),
                                       event_loop,
                                   });
      info.Env().GetInstanceData<IsolateAddonState>()->samplers.push_back(slot_);
    });
  }

 private:
  static const CaptureLink* to_link(const Napi::Value& value) {
    if (value.IsExternal()) {
      const CaptureLink* link = value.As<Napi::External<CaptureLink>>().Data();
      if (link->magic == kCaptureLinkMagic) return link;
    }
    throw wrong_argument("the link is of another kind", "what NativeSampler.link() of the same version returned");
  }

  Napi::Value stop(const Napi::CallbackInfo& info) {
    slot_->stop();
    auto& samplers = info.Env().GetInstanceData<IsolateAddonState>()->samplers;
    for (auto slot = samplers.begin(); slot != samplers.end(); ++slot) {
      if (*slot != slot_) continue;
      samplers.erase(slot);
      break;
    }
    return statistics(info);
  }

  Napi::Value statistics(const Napi::CallbackInfo& info) {
    const auto now = slot_->sampler ? slot_->sampler->statistics() : slot_->at_stop;
    auto object = Napi::Object::New(info.Env());
    object.Set("ticks", static_cast<double>(now.ticks));
    object.Set("answers", static_cast<double>(now.answers));
    object.Set("busyTicks", static_cast<double>(now.ticks_busy));
    object.Set("idleTicks", static_cast<double>(now.ticks_idle));
    object.Set("collections", static_cast<double>(now.collections));
    return object;
  }

  void arm_memory_alarm(const Napi::CallbackInfo& info) {
    converting_errors(info.Env(), [&] {
      const auto options = to_object(info[0], "the options");
      if (!slot_->sampler) throw wrong_argument("the sampler has been stopped", "one that runs");
      slot_->alarm.reset();
      slot_->alarm = std::make_unique<isolate::MemoryAlarm>(
          isolate::this_isolate(), *slot_->sampler, info.Env().GetInstanceData<IsolateAddonState>()->profiler,
          isolate::MemoryAlarmOptions{
              to_number(options.Get("heapShare"), "heapShare"),
              to_number(options.Get("heapLimitBytes"), "heapLimitBytes"),
              to_number(options.Get("rssBytes"), "rssBytes"),
              to_number(options.Get("availableBytes"), "availableBytes"),
              to_text(options.Get("profilePath"), "profilePath"),
              to_text(options.Get("snapshotPath"), "snapshotPath"),
              to_number(options.Get("snapshotBytesPerHeapByte"), "snapshotBytesPerHeapByte"),
              options.Get("isAtHeapLimitToo").ToBoolean(),
          });
    });
  }

  std::shared_ptr<HeapSamplerSlot> slot_ = std::make_shared<HeapSamplerSlot>();
};

Napi::Value start_heap_sampler(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<IsolateAddonState>()->heap_sampler_class.New({info[0]});
}

}  // namespace

void register_heap_sampler(Napi::Env env, Napi::Object exports) {
  env.GetInstanceData<IsolateAddonState>()->heap_sampler_class = Napi::Persistent(HeapSamplerBinding::define(env));
  exports.Set("startHeapSampler", Napi::Function::New(env, start_heap_sampler, "startHeapSampler"));
}

}  // namespace crucible::addon
