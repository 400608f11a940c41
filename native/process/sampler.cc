#include "sampler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "../recording/failure.h"
#include "allocator.h"

namespace crucible::process {

namespace {

using recording::ChannelDefinition;
using recording::ChannelKind;
using recording::monotonic_now_ns;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/** Shares of a core. PSS costs four times as much as all the other details together, and no judgement needs it. */
constexpr double kPssCpuShareMax = 0.0005;
constexpr double kPartsCpuShareMax = 0.0025;
/** At 10 kHz eight threads together fill some ten blocks meanwhile. */
constexpr std::chrono::milliseconds kSizeInterval{500};
/** Asking for the thread's CPU time is a system call: not at every tick. */
constexpr std::uint64_t kTicksPerCpuReading = 16;

ChannelDefinition bytes_channel(const char* name, const char* description) {
  return {name, "bytes", ChannelKind::integer, description};
}

std::vector<ChannelDefinition> detail_channels() {
  return {
      bytes_channel("pss_bytes", "resident memory, with what is shared divided by the number of sharers"),
      bytes_channel("map_heap_bytes", "resident part of the brk heap"),
      bytes_channel("stack_bytes", "resident part of all thread stacks"),
      bytes_channel("anonymous_bytes", "resident memory without a file behind it"),
      bytes_channel("file_bytes", "resident memory mapped from files or shared"),
      {"thread_count", "count", ChannelKind::integer, "threads of the process"},
      bytes_channel("malloc_in_use_bytes", "handed out by malloc and not freed"),
      bytes_channel("malloc_held_bytes", "taken from the system by malloc"),
  };
}

/** How long to rest after so much work, in order to stay within the share. */
nanoseconds rest_after(std::uint64_t cpu_ns, double cpu_share_max) noexcept {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(cpu_ns) / cpu_share_max));
}

}  // namespace

std::vector<ChannelDefinition> Sampler::rss_channels() {
  return {bytes_channel("rss_bytes", "resident set size of the process")};
}

/** A group of channels with the stream of the one thread that writes it. */
struct Sampler::Track {
  std::shared_ptr<const recording::Group> group;
  std::unique_ptr<recording::Stream> stream;
};

std::unique_ptr<Sampler::Track> Sampler::open_track(const char* name, const std::vector<ChannelDefinition>& channels) {
  auto track = std::make_unique<Track>();
  track->group = writer_->define_group(name, channels);
  track->stream = writer_->open_stream();
  track->stream->attach(*track->group);
  return track;
}

Sampler::Sampler(std::shared_ptr<recording::RecordingWriter> writer, const SamplerOptions& options)
    : writer_(std::move(writer)), slots_(writer_), started_ns_(monotonic_now_ns()) {
  set_rate(options.rate_hz);
  rss_track_ = open_track("process", rss_channels());
  if (options.detail_interval_ms > 0) detail_track_ = open_track("process_detail", detail_channels());

  if (options.counters) counters_.emplace(writer_, *options.counters, options.counter_interval_ms);

  // The first sample is there even if the thread gets no turn before the end.
  const std::int64_t now_ns = monotonic_now_ns();
  take_rss_sample(now_ns);
  if (counters_) counters_->scan(now_ns);
  rss_thread_.emplace("crucible-rss", [this](auto& thread) { sample_rss(thread); });
  if (detail_track_)
    detail_thread_.emplace("crucible-detail", [this, interval_ms = options.detail_interval_ms](auto& thread) {
      sample_details(thread, interval_ms);
    });
  if (writer_->is_bounded())
    reducing_thread_.emplace("crucible-reduce", [this](auto& thread) { keep_to_size(thread); });
}

Sampler::~Sampler() { stop(); }

double Sampler::take_rss_sample(std::int64_t now_ns) {
  const double bytes = rss_reader_.bytes();
  if (rss_track_->stream->sample(*rss_track_->group, {&bytes, 1}, now_ns))
    samples_.fetch_add(1, std::memory_order_relaxed);
  return bytes;
}

void Sampler::set_rate(double rate_hz) { period_ns_.store(period_ns(rate_hz), std::memory_order_relaxed); }

std::int64_t Sampler::period_ns(double rate_hz) {
  if (!(rate_hz > 0 && rate_hz <= kRateHzMax))
    throw Failure("USAGE", {"the sampling rate cannot be " + std::to_string(rate_hz) + " Hz",
                            "a system wakes a thread at most some 10,000 times a second",
                            "choose a rate above 0 and up to 10000"});
  return static_cast<std::int64_t>(1e9 / rate_hz);
}

void Sampler::sample_rss(SamplerThread& thread) {
  auto deadline = steady_clock::now() + nanoseconds(period_ns_.load(std::memory_order_relaxed));
  for (std::uint64_t tick = 0; thread.sleep_until(deadline); tick++) {
    const std::int64_t now_ns = monotonic_now_ns();
    const double rss_bytes = take_rss_sample(now_ns);
    ticks_->tick(now_ns, rss_bytes);
    slots_.scan(now_ns);
    if (counters_) counters_->scan(now_ns);
    if (tick % kTicksPerCpuReading == 0) rss_cpu_ns_.store(thread_cpu_ns(), std::memory_order_relaxed);

    const auto period = nanoseconds(period_ns_.load(std::memory_order_relaxed));
    deadline += period;
    if (const auto late = steady_clock::now() - deadline; late >= period) {
      const auto missed = late / period;
      missed_ticks_.fetch_add(static_cast<std::uint64_t>(missed), std::memory_order_relaxed);
      deadline += period * missed;
    }
  }
  // What was counted since the last tick.
  slots_.scan(monotonic_now_ns());
  rss_cpu_ns_.store(thread_cpu_ns(), std::memory_order_relaxed);
}

void Sampler::sample_details(SamplerThread& thread, double interval_ms) {
  const auto interval = nanoseconds(static_cast<std::int64_t>(interval_ms * 1e6));
  auto deadline = steady_clock::now();
  auto pss_deadline = deadline;
  while (thread.sleep_until(deadline)) {
    const std::uint64_t start_cpu_ns = thread_cpu_ns();
    const ProcessMemory memory = memory_reader_.read();
    const auto allocator = read_allocator();
    const std::uint64_t parts_cpu_ns = thread_cpu_ns();
    const bool is_pss_due = steady_clock::now() >= pss_deadline;
    const std::array<double, 8> values = {
        is_pss_due ? memory_reader_.pss_bytes() : kAbsent,
        memory.map_heap_bytes,
        memory.stack_bytes,
        memory.anonymous_bytes,
        memory.file_bytes,
        memory.thread_count,
        allocator ? static_cast<double>(allocator->in_use_bytes) : kAbsent,
        allocator ? static_cast<double>(allocator->held_bytes) : kAbsent,
    };
    detail_track_->stream->sample(*detail_track_->group, values, monotonic_now_ns());

    const std::uint64_t end_cpu_ns = thread_cpu_ns();
    detail_cpu_ns_.store(end_cpu_ns, std::memory_order_relaxed);
    const auto now = steady_clock::now();
    deadline = now + std::max(interval, rest_after(parts_cpu_ns - start_cpu_ns, kPartsCpuShareMax));
    if (is_pss_due) pss_deadline = now + rest_after(end_cpu_ns - parts_cpu_ns, kPssCpuShareMax);
  }
}

/** Old samples are summarised here, so that no thread that samples has to. */
void Sampler::keep_to_size(SamplerThread& thread) {
  while (thread.sleep_until(steady_clock::now() + kSizeInterval)) {
    writer_->make_room();
    reducing_cpu_ns_.store(thread_cpu_ns(), std::memory_order_relaxed);
  }
}

SamplerStatistics Sampler::stop() {
  if (rss_thread_) rss_thread_->stop();
  if (detail_thread_) detail_thread_->stop();
  if (reducing_thread_) reducing_thread_->stop();
  if (!stopped_ns_) stopped_ns_ = monotonic_now_ns();
  if (counters_) counters_->finish(monotonic_now_ns());
  // Closing the streams seals their blocks, and lets the recording be closed.
  counters_.reset();
  rss_track_.reset();
  detail_track_.reset();
  slots_.close();
  return statistics();
}

SamplerStatistics Sampler::statistics() const {
  return {
      .samples = samples_.load(std::memory_order_relaxed),
      .missed_ticks = missed_ticks_.load(std::memory_order_relaxed),
      .cpu_ns = rss_cpu_ns_.load(std::memory_order_relaxed) + detail_cpu_ns_.load(std::memory_order_relaxed) +
                reducing_cpu_ns_.load(std::memory_order_relaxed),
      .elapsed_ns = static_cast<std::uint64_t>(stopped_ns_.value_or(monotonic_now_ns()) - started_ns_),
  };
}

}  // namespace crucible::process
