#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "../../isolate/allocation_profiler.h"
#include "../../isolate/heap_figures.h"
#include "../../isolate/heap_sampler.h"
#include "../../isolate/memory_alarm.h"

/**
 * isolate.node: one instance for each thread that runs JavaScript. V8 itself is
 * only seen by native/isolate; here its plain figures become JavaScript's values.
 */
namespace crucible::addon {

/** A heap sampler that can be stopped by its JavaScript object, and by the end of its thread. */
struct HeapSamplerSlot {
  std::unique_ptr<isolate::HeapSampler> sampler;
  std::unique_ptr<isolate::MemoryAlarm> alarm;
  isolate::HeapSamplerStatistics at_stop{};

  void stop() {
    if (!sampler) return;
    at_stop = sampler->statistics();
    alarm.reset();  // it uses the sampler
    sampler.reset();
  }
};

struct IsolateAddonState {
  /** While the thread's environment is being taken down, and V8 is still whole. */
  ~IsolateAddonState();

  Napi::FunctionReference make_error;
  Napi::FunctionReference heap_sampler_class;
  Napi::FunctionReference forked_snapshot_class;
  std::vector<std::shared_ptr<HeapSamplerSlot>> samplers;
  isolate::AllocationProfiler profiler{isolate::this_isolate()};
};

/** heap_sampler_binding.cc */
void register_heap_sampler(Napi::Env env, Napi::Object exports);
/** profile_binding.cc */
void register_profile(Napi::Env env, Napi::Object exports);
/** snapshot_binding.cc */
void register_snapshot(Napi::Env env, Napi::Object exports);

}  // namespace crucible::addon
