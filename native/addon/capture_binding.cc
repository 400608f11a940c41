#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "../process/allocator.h"
#include "../process/memory_room.h"
#include "../process/memory_source.h"
#include "../process/sampler.h"
#include "addon.h"
#include "convert.h"
#include "recording_binding.h"
#include "sampler_values.h"
#include "sharing_binding.h"

namespace crucible::addon {

namespace {

using process::Sampler;

process::CounterMemory to_counters(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw wrong_argument("the counters are not a Uint8Array", "a Uint8Array");
  const auto bytes = value.As<Napi::Uint8Array>();
  return process::CounterMemory(reinterpret_cast<const std::byte*>(bytes.Data()), bytes.ByteLength());
}

}  // namespace

Napi::ObjectReference watch_slots_of(process::SlotScanner& scanner, const Napi::Value& value) {
  const auto options = to_object(value, "the options");
  const std::string group = to_text(options.Get("group"), "the group's name");
  if (!options.Get("channels").IsArray()) throw wrong_argument("the channels are not an array", "an array");
  const auto given = options.Get("channels").As<Napi::Array>();
  std::vector<recording::ChannelDefinition> channels;
  for (std::uint32_t i = 0; i < given.Length(); i++) channels.push_back(to_channel(given.Get(i)));
  const auto slots = options.Get("slots");
  if (!slots.IsTypedArray() || slots.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw wrong_argument("the slots are not an Int32Array", "an Int32Array over a SharedArrayBuffer");
  const double first = to_number(options.Get("firstSlot"), "firstSlot");
  const auto length = static_cast<double>(slots.As<Napi::TypedArray>().ElementLength());
  if (!(first >= 0 && first + given.Length() <= length) || first != std::floor(first))
    throw wrong_argument("the channels begin at slot " + std::to_string(first), "slots of the array");
  // Not Napi::Int32Array::Data(): that asks for an ArrayBuffer, which a SharedArrayBuffer is not.
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), slots, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok)
    throw wrong_argument("the slots cannot be read", "an Int32Array over a SharedArrayBuffer");
  static_assert(sizeof(std::atomic<std::int32_t>) == sizeof(std::int32_t));
  scanner.watch(group, channels,
                static_cast<const std::atomic<std::int32_t>*>(data) + static_cast<std::size_t>(first));
  return Napi::Persistent(slots.As<Napi::Object>());
}

Napi::Value to_js(Napi::Env env, const process::SamplerStatistics& statistics) {
  auto object = Napi::Object::New(env);
  object.Set("samples", static_cast<double>(statistics.samples));
  object.Set("missedTicks", static_cast<double>(statistics.missed_ticks));
  object.Set("cpuNs", static_cast<double>(statistics.cpu_ns));
  object.Set("elapsedNs", static_cast<double>(statistics.elapsed_ns));
  return object;
}

namespace {

/** NativeSampler of src/native.ts. Stays alive, whoever forgets it, until it is stopped or its thread ends. */
class SamplerBinding : public Napi::ObjectWrap<SamplerBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeSampler",
                       {
                           InstanceMethod<&SamplerBinding::stop>("stop"),
                           InstanceMethod<&SamplerBinding::statistics>("statistics"),
                           InstanceMethod<&SamplerBinding::set_rate>("setRate"),
                           InstanceMethod<&SamplerBinding::watch_slots>("watchSlots"),
                           InstanceMethod<&SamplerBinding::link>("link"),
                           InstanceMethod<&SamplerBinding::share>("share"),
                       });
  }

  explicit SamplerBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SamplerBinding>(info) {
    converting_errors(info.Env(), [&] {
      auto& state = *info.Env().GetInstanceData<AddonState>();
      const auto options = to_object(info[0], "the options");
      process::SamplerOptions sampler_options{
          .rate_hz = to_number(options.Get("rateHz"), "rateHz"),
          .detail_interval_ms = to_number(options.Get("detailIntervalMs"), "detailIntervalMs"),
      };
      if (const auto counters = options.Get("counters"); !counters.IsUndefined()) {
        sampler_options.counters = to_counters(counters);
        sampler_options.counter_interval_ms = to_number(options.Get("counterIntervalMs"), "counterIntervalMs");
        counters_ = Napi::Persistent(counters.As<Napi::Object>());
      }
      sampler_ = std::make_shared<Sampler>(to_recording(options.Get("recording")), sampler_options);
      std::erase_if(state.samplers, [](const auto& sampler) { return sampler.expired(); });
      state.samplers.push_back(sampler_);
    });
    Ref();
    is_held_ = true;
  }

 private:
  Napi::Value stop(const Napi::CallbackInfo& info) {
    stop_sharing(sampler_->ticks());
    const auto statistics = sampler_->stop();
    counters_.Reset();
    watched_.clear();
    if (std::exchange(is_held_, false)) Unref();
    return to_js(info.Env(), statistics);
  }

  void set_rate(const Napi::CallbackInfo& info) {
    converting_errors(info.Env(), [&] { sampler_->set_rate(to_number(info[0], "rateHz")); });
  }

  Napi::Value statistics(const Napi::CallbackInfo& info) { return to_js(info.Env(), sampler_->statistics()); }

  void watch_slots(const Napi::CallbackInfo& info) {
    converting_errors(info.Env(), [&] { watched_.push_back(watch_slots_of(sampler_->slots(), info[0])); });
  }

  /** For isolate.node: this sampler's ticks and its recording. */
  Napi::Value link(const Napi::CallbackInfo& info) { return to_js_link(info.Env(), sampler_->writer(), sampler_->ticks()); }

  void share(const Napi::CallbackInfo&) { share_capture(sampler_->writer(), sampler_->ticks()); }

  std::shared_ptr<Sampler> sampler_;
  /** Keep their memory for as long as the sampler reads it. */
  Napi::ObjectReference counters_;
  std::vector<Napi::ObjectReference> watched_;
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

Napi::Value read_memory_room(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&] {
    const process::MemoryRoomReader reader;
    const process::MemoryRoom room = reader.read();
    auto object = Napi::Object::New(info.Env());
    set_figure(object, "availableBytes", room.available_bytes);
    set_figure(object, "limitBytes", room.limit_bytes);
    set_figure(object, "usedBytes", room.used_bytes);
    object.Set("limitedBy", room.limited_by);
    return object;
  });
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
  exports.Set("readMemoryRoom", Napi::Function::New(env, read_memory_room, "readMemoryRoom"));
  exports.Set("readRss", Napi::Function::New(env, read_rss, "readRss"));
  exports.Set("limitMemoryGrowth", Napi::Function::New(env, limit_memory_growth, "limitMemoryGrowth"));
  exports.Set("unlimitMemoryGrowth", Napi::Function::New(env, unlimit_memory_growth, "unlimitMemoryGrowth"));
}

}  // namespace crucible::addon
