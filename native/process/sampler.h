#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../recording/writer.h"
#include "counter_scanner.h"
#include "memory_source.h"
#include "sampler_thread.h"
#include "slot_scanner.h"
#include "tick_hub.h"

namespace crucible::process {

struct SamplerOptions {
  /** RSS samples a second, above 0 and at most kRateHzMax. */
  double rate_hz;
  /** Shortest time between two readings of the details; 0: none. */
  double detail_interval_ms;
  /** The program's own counters; must stay where they are until stop(). */
  std::optional<CounterMemory> counters = std::nullopt;
  /** Shortest time between two readings of the counters; 0: with every RSS sample. */
  double counter_interval_ms = 0;
};

struct SamplerStatistics {
  /** RSS samples written. */
  std::uint64_t samples;
  /** Ticks that passed while the system let the thread wait. */
  std::uint64_t missed_ticks;
  /** CPU time of all its threads. */
  std::uint64_t cpu_ns;
  std::uint64_t elapsed_ns;
};

/**
 * Writes this process's memory into a recording from two threads of its own:
 * RSS at a high rate, and its parts (which take the kernel up to milliseconds)
 * from a second thread, so that they never delay the first. The program's own
 * counters are read by the first, which is awake anyway.
 *
 * The cost is the waking up: 20 to 30 us of CPU a tick, 2.5 to 3 % of a core
 * at 1 kHz. The details cost at most 0.5 %: where reading them takes long they
 * are read more rarely than asked, and PSS, the dearest, is absent from most
 * of their samples.
 *
 * A tick that comes late is written late, with its true time; ticks that were
 * missed altogether are counted, never made up for.
 */
class Sampler {
 public:
  static constexpr double kRateHzMax = 10'000;
  /** @throws Failure USAGE */
  [[nodiscard]] static std::int64_t period_ns(double rate_hz);
  /** The group `process`. */
  [[nodiscard]] static std::vector<recording::ChannelDefinition> rss_channels();

  /** @throws Failure PROC_UNREADABLE, RECORDING_UNWRITABLE, USAGE */
  Sampler(std::shared_ptr<recording::RecordingWriter> writer, const SamplerOptions& options);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /** What the capture itself counts; until stop(). */
  [[nodiscard]] SlotScanner& slots() noexcept { return slots_; }
  /** Who wants to do something at each tick. */
  [[nodiscard]] const std::shared_ptr<TickHub>& ticks() const noexcept { return ticks_; }
  [[nodiscard]] const std::shared_ptr<recording::RecordingWriter>& writer() const noexcept { return writer_; }

  /** Joins both threads; again it only returns the statistics. */
  SamplerStatistics stop();
  /** RSS samples a second from the next tick on. @throws Failure USAGE */
  void set_rate(double rate_hz);
  [[nodiscard]] SamplerStatistics statistics() const;

 private:
  struct Track;
  double take_rss_sample(std::int64_t now_ns);
  void sample_rss(SamplerThread& thread);
  void sample_details(SamplerThread& thread, double interval_ms);
  void keep_to_size(SamplerThread& thread);
  [[nodiscard]] std::unique_ptr<Track> open_track(const char* name,
                                                  const std::vector<recording::ChannelDefinition>& channels);

  std::shared_ptr<recording::RecordingWriter> writer_;
  std::unique_ptr<Track> rss_track_;
  std::unique_ptr<Track> detail_track_;
  std::optional<CounterScanner> counters_;
  RssReader rss_reader_;
  MemoryReader memory_reader_;
  std::shared_ptr<TickHub> ticks_ = std::make_shared<TickHub>();
  SlotScanner slots_;

  std::int64_t started_ns_;
  std::optional<std::int64_t> stopped_ns_;
  std::atomic<std::int64_t> period_ns_{0};
  std::atomic<std::uint64_t> samples_{0};
  std::atomic<std::uint64_t> missed_ticks_{0};
  std::atomic<std::uint64_t> rss_cpu_ns_{0};
  std::atomic<std::uint64_t> detail_cpu_ns_{0};
  std::atomic<std::uint64_t> reducing_cpu_ns_{0};

  // Last: the threads use all of the above.
  std::optional<SamplerThread> rss_thread_;
  std::optional<SamplerThread> detail_thread_;
  std::optional<SamplerThread> reducing_thread_;
};

}  // namespace crucible::process
