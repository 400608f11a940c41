#include <cmath>
#include <memory>

#include "../process/allocator.h"
#include "../process/memory_source.h"
#include "../process/sampler.h"
#include "convert.h"
#include "recording_binding.h"

namespace crucible::addon {

namespace {

using process::Sampler;

Napi::Value to_js(Napi::Env env, const process::SamplerStatistics& statistics) {
  auto object = Napi::Object::New(env);
  object.Set("samples", static_cast<double>(statistics.samples));
  object.Set("missedTicks", static_cast<double>(statistics.missed_ticks));
  object.Set("cpuNs", static_cast<double>(statistics.cpu_ns));
  object.Set("elapsedNs", static_cast<double>(statistics.elapsed_ns));
  return object;
}

process::CounterMemory to_counters(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw wrong_argument("the counters are not a Uint8Array", "a Uint8Array");
  const auto bytes = value.As<Napi::Uint8Array>();
  return process::CounterMemory(reinterpret_cast<const std::byte*>(bytes.Data()), bytes.ByteLength());
}

/** NativeSampler of src/native.ts. Stays alive, whoever forgets it, until it is stopped or its thread ends. */
class SamplerBinding : public Napi::ObjectWrap<SamplerBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeSampler",
                       {
                           InstanceMethod<&SamplerBinding::stop>("stop"),
                           InstanceMethod<&SamplerBinding::statistics>("statistics"),
                       });
  }

  explicit SamplerBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SamplerBinding>(info) {
    converting_errors(info.Env(), [&] {
      auto& state = *info.Env().GetInstanceData<AddonState>();
      const auto options = to_object(info[0], "the options");
      const auto recording = to_object(options.Get("recording"), "the recording");
      if (!recording.InstanceOf(state.recording_class.Value()))
        throw wrong_argument("the recording is of another kind", "what createRecording() returned");
      process::SamplerOptions sampler_options{
          .rate_hz = to_number(options.Get("rateHz"), "rateHz"),
          .detail_interval_ms = to_number(options.Get("detailIntervalMs"), "detailIntervalMs"),
      };
      if (const auto counters = options.Get("counters"); !counters.IsUndefined()) {
        sampler_options.counters = to_counters(counters);
        sampler_options.counter_interval_ms = to_number(options.Get("counterIntervalMs"), "counterIntervalMs");
        counters_ = Napi::Persistent(counters.As<Napi::Object>());
      }
      sampler_ = std::make_shared<Sampler>(RecordingBinding::Unwrap(recording)->writer(), sampler_options);
      std::erase_if(state.samplers, [](const auto& sampler) { return sampler.expired(); });
      state.samplers.push_back(sampler_);
    });
    Ref();
    is_held_ = true;
  }

 private:
  Napi::Value stop(const Napi::CallbackInfo& info) {
    const auto statistics = sampler_->stop();
    counters_.Reset();
    if (std::exchange(is_held_, false)) Unref();
    return to_js(info.Env(), statistics);
  }

  Napi::Value statistics(const Napi::CallbackInfo& info) { return to_js(info.Env(), sampler_->statistics()); }

  /** Keeps their memory for as long as the sampler reads it. */
  Napi::ObjectReference counters_;
  std::shared_ptr<Sampler> sampler_;
  bool is_held_ = false;
};

Napi::Value start_sampler(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<AddonState>()->sampler_class.New({info[0]});
}

Napi::Value read_memory(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&] {
    process::MemoryReader reader;
    const process::ProcessMemory memory = reader.read();
    auto object = Napi::Object::New(info.Env());
    set_figure(object, "rssBytes", memory.rss_bytes);
    set_figure(object, "pssBytes", reader.pss_bytes());
    set_figure(object, "mapHeapBytes", memory.map_heap_bytes);
    set_figure(object, "stackBytes", memory.stack_bytes);
    set_figure(object, "anonymousBytes", memory.anonymous_bytes);
    set_figure(object, "fileBytes", memory.file_bytes);
    set_figure(object, "threadCount", memory.thread_count);
    if (const auto allocator = process::read_allocator()) {
      object.Set("mallocInUseBytes", static_cast<double>(allocator->in_use_bytes));
      object.Set("mallocHeldBytes", static_cast<double>(allocator->held_bytes));
    }
    return object;
  });
}

Napi::Value read_allocator(const Napi::CallbackInfo& info) {
  const auto figures = process::read_allocator();
  if (!figures) return info.Env().Null();
  auto object = Napi::Object::New(info.Env());
  object.Set("inUseBytes", static_cast<double>(figures->in_use_bytes));
  object.Set("heldBytes", static_cast<double>(figures->held_bytes));
  return object;
}

Napi::Value read_rss(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const double pid = to_number(info[0], "pid");
    if (!(pid > 0 && pid <= 0x7fffffff) || pid != std::floor(pid))
      throw wrong_argument("the process id is " + std::to_string(pid), "a whole number above 0");
    const auto bytes = process::rss_of(static_cast<std::int64_t>(pid));
    if (!bytes) return info.Env().Null();
    return Napi::Number::New(info.Env(), static_cast<double>(*bytes));
  });
}

Napi::Value limit_memory_growth(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const double bytes = to_number(info[0], "bytes");
    if (!(bytes >= 0 && bytes <= recording::kIntegerMax))
      throw wrong_argument("the memory limit is " + std::to_string(bytes), "a number of bytes, 0 or more");
    const auto limit = process::limit_memory_growth(static_cast<std::uint64_t>(bytes));
    if (!limit) return info.Env().Null();
    return Napi::Number::New(info.Env(), static_cast<double>(*limit));
  });
}

void unlimit_memory_growth(const Napi::CallbackInfo&) { process::unlimit_memory_growth(); }

}  // namespace

void register_capture(Napi::Env env, Napi::Object exports) {
  env.GetInstanceData<AddonState>()->sampler_class = Napi::Persistent(SamplerBinding::define(env));
  exports.Set("startSampler", Napi::Function::New(env, start_sampler, "startSampler"));
  exports.Set("readMemory", Napi::Function::New(env, read_memory, "readMemory"));
  exports.Set("readAllocator", Napi::Function::New(env, read_allocator, "readAllocator"));
  exports.Set("readRss", Napi::Function::New(env, read_rss, "readRss"));
  exports.Set("limitMemoryGrowth", Napi::Function::New(env, limit_memory_growth, "limitMemoryGrowth"));
  exports.Set("unlimitMemoryGrowth", Napi::Function::New(env, unlimit_memory_growth, "unlimitMemoryGrowth"));
}

}  // namespace crucible::addon
