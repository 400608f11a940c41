#pragma once

#include <cstdint>
#include <string>

namespace v8 {
class Isolate;
}

namespace crucible::isolate {

struct AllocationProfileOptions {
  /** Mean number of allocated bytes between two samples. */
  std::uint64_t interval_bytes;
  /** Frames kept of a stack. */
  int depth;
  /** Also keep samples of what such a collection freed: all that was allocated, not only what lives. */
  bool includes_collected_by_minor;
  bool includes_collected_by_major;
};

/**
 * V8's sampling heap profiler, of which an isolate has one: 2 to 4 us a sample,
 * that is 0.1 % at 100 MB/s and 512 KiB. Without the included collected objects
 * the samples are those of live objects; with them their list grows without end.
 *
 * Must be stopped before the isolate ends: Node 24 frees it twice otherwise.
 */
class AllocationProfiler {
 public:
  explicit AllocationProfiler(v8::Isolate* isolate) : isolate_(isolate) {}
  ~AllocationProfiler() { stop(); }
  AllocationProfiler(const AllocationProfiler&) = delete;
  AllocationProfiler& operator=(const AllocationProfiler&) = delete;

  /** False: a profiler runs in this isolate already, this one or somebody else's. */
  [[nodiscard]] bool start(const AllocationProfileOptions& options);
  void stop() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return is_running_; }

  /**
   * The profile so far as a .heapprofile (JSON). An `ordinal` is the sample's id: ascending with
   * time, and the same in every profile until stop(); `count` tells how many objects it stands for.
   * Empty when none runs, or when somebody else has stopped it. Up to a few milliseconds.
   */
  [[nodiscard]] std::string profile();

 private:
  v8::Isolate* isolate_;
  bool is_running_ = false;
};

}  // namespace crucible::isolate
