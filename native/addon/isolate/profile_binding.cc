#include <cmath>
#include <string>

#include "../../isolate/class_histogram.h"
#include "../convert.h"
#include "isolate_addon.h"

namespace crucible::addon {

namespace {

isolate::AllocationProfiler& profiler_of(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<IsolateAddonState>()->profiler;
}

double whole_number(const Napi::Object& options, const char* name, double least, double most) {
  const double value = to_number(options.Get(name), name);
  if (!(value >= least && value <= most) || value != std::floor(value))
    throw wrong_argument(std::string(name) + " is " + std::to_string(value),
                         "a whole number from " + std::to_string(static_cast<long long>(least)));
  return value;
}

Napi::Value start_allocation_profile(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&] {
    const auto options = to_object(info[0], "the options");
    return Napi::Boolean::New(
        info.Env(), profiler_of(info).start({
                        static_cast<std::uint64_t>(whole_number(options, "intervalBytes", 1, 1e15)),
                        static_cast<int>(whole_number(options, "depth", 1, 1024)),
                        options.Get("includesCollectedByMinor").ToBoolean(),
                        options.Get("includesCollectedByMajor").ToBoolean(),
                    }));
  });
}

Napi::Value allocation_profile(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const std::string json = profiler_of(info).profile();
    if (json.empty()) return info.Env().Null();
    return Napi::String::New(info.Env(), json);
  });
}

void stop_allocation_profile(const Napi::CallbackInfo& info) { profiler_of(info).stop(); }

void collect_garbage(const Napi::CallbackInfo&) { isolate::collect_garbage(isolate::this_isolate()); }

Napi::Value count_objects(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&] {
    const isolate::ClassHistogram histogram = isolate::count_objects(isolate::this_isolate());
    auto classes = Napi::Array::New(info.Env(), histogram.classes.size());
    std::uint32_t next = 0;
    for (const auto& [name, objects] : histogram.classes) {
      auto row = Napi::Object::New(info.Env());
      row.Set("name", name);
      row.Set("objects", static_cast<double>(objects));
      classes.Set(next++, row);
    }
    auto object = Napi::Object::New(info.Env());
    object.Set("objects", static_cast<double>(histogram.objects));
    object.Set("classes", classes);
    return object;
  });
}

}  // namespace

void register_profile(Napi::Env env, Napi::Object exports) {
  exports.Set("startAllocationProfile", Napi::Function::New(env, start_allocation_profile, "startAllocationProfile"));
  exports.Set("allocationProfile", Napi::Function::New(env, allocation_profile, "allocationProfile"));
  exports.Set("stopAllocationProfile", Napi::Function::New(env, stop_allocation_profile, "stopAllocationProfile"));
  exports.Set("collectGarbage", Napi::Function::New(env, collect_garbage, "collectGarbage"));
  exports.Set("countObjects", Napi::Function::New(env, count_objects, "countObjects"));
}

}  // namespace crucible::addon
