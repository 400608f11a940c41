#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "../process/memory_room.h"
#include "allocation_profiler.h"
#include "heap_sampler.h"

namespace crucible::isolate {

/** When to save the evidence, and where to. A path that is empty: not that. */
struct MemoryAlarmOptions {
  /** Share of the heap limit that a full collection leaves alive; 0: never. */
  double heap_share;
  /** What the share is of; 0: V8's own limit, which counts the young generation in. */
  double heap_limit_bytes;
  /** RSS of the process; 0: never. */
  double rss_bytes;
  /** Least that cgroup, system and ulimit leave; 0: never. */
  double available_bytes;
  std::string profile_path;
  std::string snapshot_path;
  /** Memory that a snapshot takes for each byte of heap. */
  double snapshot_bytes_per_heap_byte;
  /** Also at V8's own last call. Not in workers: a survivable error may become the end of the process. */
  bool is_at_heap_limit_too;
};

/**
 * Saves the evidence before memory has run out, while there is time and room
 * for it: the allocation profile first, then a snapshot if it fits.
 *
 *   a full collection leaves too much alive    heap      (the isolate's thread)
 *   RSS, or what is left, at the ticks         process   (the sampler's thread: buffers
 *                                                         kill containers with the heap limit far away)
 *   V8 is about to give up                     limit     only the profile: a snapshot would take
 *                                                         a gigabyte that is not there
 *
 * The first two ask V8 to be called at a safe point, and do their work there.
 * Each happens once. What happened is in the recording as the event
 * near-out-of-memory.
 */
class MemoryAlarm final : public CollectionListener {
 public:
  /** The sampler and the profiler outlive this. */
  MemoryAlarm(v8::Isolate* isolate, HeapSampler& sampler, AllocationProfiler& profiler,
              const MemoryAlarmOptions& options);
  ~MemoryAlarm();
  MemoryAlarm(const MemoryAlarm&) = delete;
  MemoryAlarm& operator=(const MemoryAlarm&) = delete;

  void collected(double live_bytes, double limit_bytes) noexcept override;

 private:
  /** Outlives the alarm: there is no taking back a request. */
  struct Request {
    MemoryAlarm* alarm;  // isolate's thread only
  };
  struct Callbacks;

  void tick(std::int64_t now_ns, double rss_bytes);
  [[nodiscard]] bool is_running_short(std::int64_t now_ns, double rss_bytes);
  void save_evidence(const char* trigger, bool with_snapshot) noexcept;
  [[nodiscard]] std::string profile_report();
  [[nodiscard]] std::string snapshot_report(double heap_used_bytes, double available_bytes);

  v8::Isolate* isolate_;
  HeapSampler& sampler_;
  AllocationProfiler& profiler_;
  MemoryAlarmOptions options_;
  Request* request_;
  /** One reader a thread. */
  process::MemoryRoomReader room_here_;
  process::MemoryRoomReader room_at_ticks_;

  bool was_heap_ = false;
  bool is_at_limit_ = false;
  bool is_saving_ = false;
  /** While saving. */
  std::size_t raised_limit_bytes_ = 0;
  // The sampler's thread.
  bool was_process_ = false;
  std::int64_t room_due_ns_ = 0;
  double available_at_reading_bytes_ = 0;
  double rss_at_reading_bytes_ = 0;
  double expected_growth_bytes_ = 0;
  std::uint64_t subscription_ = 0;
};

}  // namespace crucible::isolate
