#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "../recording/writer.h"
#include "sampler.h"
#include "tick_hub.h"

namespace crucible::process {

/**
 * A recording of its own that lives on the ticks of another sampler of this process: for worker threads, each
 * of which would otherwise wake a thread of its own to read the resident memory that they all have in common.
 *
 *   sampler ── ticks ──> follower ── at most rate_hz of them ──> its recording, and its own ticks
 *
 * Costs a microsecond a sample on the sampler's thread. No ticks come any more when that sampler has stopped.
 */
class TickFollower {
 public:
  /** @throws Failure RECORDING_UNWRITABLE, USAGE */
  TickFollower(std::shared_ptr<recording::RecordingWriter> writer, std::shared_ptr<TickHub> followed, double rate_hz);
  ~TickFollower();
  TickFollower(const TickFollower&) = delete;
  TickFollower& operator=(const TickFollower&) = delete;

  [[nodiscard]] const std::shared_ptr<TickHub>& ticks() const noexcept { return ticks_; }
  [[nodiscard]] const std::shared_ptr<recording::RecordingWriter>& writer() const noexcept { return writer_; }

  /** What the thread itself counts; until stop(). */
  [[nodiscard]] SlotScanner& slots() noexcept { return slots_; }

  /** @throws Failure USAGE */
  void set_rate(double rate_hz);
  /** Again it only returns the statistics. The CPU time is the followed sampler's, and none of it counts here. */
  SamplerStatistics stop();
  [[nodiscard]] SamplerStatistics statistics() const noexcept;

 private:
  static void on_tick(void* follower, std::int64_t now_ns, double rss_bytes);

  std::shared_ptr<recording::RecordingWriter> writer_;
  std::shared_ptr<TickHub> followed_;
  std::shared_ptr<TickHub> ticks_ = std::make_shared<TickHub>();
  SlotScanner slots_;
  std::shared_ptr<const recording::Group> group_;
  std::unique_ptr<recording::Stream> stream_;
  std::int64_t started_ns_;
  std::optional<std::int64_t> stopped_ns_;
  std::atomic<std::int64_t> period_ns_{0};
  std::atomic<std::uint64_t> samples_{0};
  /** The sampler's thread. */
  std::int64_t due_ns_ = 0;
  std::uint64_t subscription_ = 0;
};

}  // namespace crucible::process
