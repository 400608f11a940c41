#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collection_watch.h"
#include "linked_stream.h"

namespace v8 {
class Isolate;
}

namespace crucible::isolate {

struct HeapSamplerOptions {
  const CaptureLink* link;
  /** Before the names of all channels: one recording may hold several isolates. */
  std::string prefix;
  /** V8 is asked at every n-th tick of the process sampler; at least 1. */
  std::uint32_t ticks_per_sample;
  /** Shortest time between two samples of the heap spaces, milliseconds. */
  double spaces_interval_ms;
  /** A uv_loop_t: tells an idle event loop from a busy one. */
  void* event_loop;
};

struct HeapSamplerStatistics {
  /** Ticks at which V8 was to be asked. */
  std::uint64_t ticks;
  /** Samples: ticks that V8 answered. */
  std::uint64_t answers;
  /** Ticks at which the request before was still open while JavaScript's thread was busy elsewhere. */
  std::uint64_t ticks_busy;
  /** The same while the event loop waited for something to do. */
  std::uint64_t ticks_idle;
  std::uint64_t collections;
};

/**
 * V8's heap figures on the recording's clock, whatever JavaScript does.
 *
 *   sampler's thread   tick: RequestInterrupt, unless the last request is still open
 *   isolate's thread   interrupt: reads the figures, writes one sample; or a collection, if it ends before
 *
 * V8 must not be asked from another thread (22 and later crash), and answers
 * only while it runs JavaScript. In JSON.parse, in a large sort, in a
 * collection and in an idle loop it does not: then the channel v8_silence says
 * which, from the first tick without an answer on, and nothing is made up.
 *
 * From Node 24 on V8 also leaves interrupts out of optimised loops that call
 * nothing but built-in functions (worker.terminate() does not end such a loop
 * either). If they allocate, it answers when it collects.
 *
 * Costs the JavaScript thread 1 to 4 us a sample, and the sampler's thread
 * less than a microsecond a tick.
 */
class HeapSampler {
 public:
  /** On the isolate's thread, like all of it. @throws Failure USAGE, RECORDING_UNWRITABLE */
  HeapSampler(v8::Isolate* isolate, const HeapSamplerOptions& options);
  ~HeapSampler();
  HeapSampler(const HeapSampler&) = delete;
  HeapSampler& operator=(const HeapSampler&) = delete;

  [[nodiscard]] HeapSamplerStatistics statistics() const noexcept;
  [[nodiscard]] CollectionWatch& collections() noexcept { return *collections_; }
  [[nodiscard]] const LinkedStream& stream() const noexcept { return figures_; }
  [[nodiscard]] const CaptureLink& link() const noexcept { return link_.table(); }

 private:
  /** What the isolate's thread is about, as far as the sampler's thread can tell. */
  enum class Silence : std::uint8_t { none = 0, busy = 1, idle = 2 };

  /** Outlives the sampler: V8 may call back after it is gone, and there is no taking back a request. */
  struct Request {
    HeapSampler* sampler;  // null when it is gone; isolate's thread only
    /** V8 has not called back yet. */
    std::atomic<bool> is_open{false};
    /** All the same the figures of this tick are written: a collection came first. */
    std::atomic<bool> is_answered{false};
    std::atomic<std::int64_t> asked_ns{0};
  };

  static void on_tick(void* sampler, std::int64_t now_ns, double rss_bytes);
  static void on_interrupt(v8::Isolate* isolate, void* request);
  void tick(std::int64_t now_ns);
  void note_silence(Silence silence, std::int64_t now_ns);
  void answer_tick();
  void write_figures(std::int64_t asked_ns);

  v8::Isolate* isolate_;
  LinkHolder link_;
  std::uint32_t ticks_per_sample_;
  std::int64_t spaces_interval_ns_;
  void* event_loop_;
  Request* request_;

  // The isolate's thread.
  LinkedStream figures_;
  std::int32_t figures_group_;
  std::int32_t spaces_group_;
  std::vector<double> spaces_;
  std::int64_t spaces_due_ns_ = 0;
  std::unique_ptr<CollectionWatch> collections_;

  // The sampler's thread.
  LinkedStream silences_;
  std::int32_t silence_group_;
  Silence silence_ = Silence::none;
  std::uint32_t ticks_left_ = 1;
  std::int64_t last_tick_ns_ = 0;
  std::uint64_t last_idle_ns_ = 0;

  std::atomic<std::uint64_t> ticks_{0};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> ticks_busy_{0};
  std::atomic<std::uint64_t> ticks_idle_{0};
  std::uint64_t subscription_ = 0;
};

}  // namespace crucible::isolate
