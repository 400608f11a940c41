#include "tick_follower.h"

#include <algorithm>

#include "memory_source.h"

namespace crucible::process {

using recording::monotonic_now_ns;

TickFollower::TickFollower(std::shared_ptr<recording::RecordingWriter> writer, std::shared_ptr<TickHub> followed,
                           double rate_hz)
    : writer_(std::move(writer)), followed_(std::move(followed)), slots_(writer_), started_ns_(monotonic_now_ns()) {
  set_rate(rate_hz);
  group_ = writer_->define_group("process", Sampler::rss_channels());
  stream_ = writer_->open_stream();
  stream_->attach(*group_);
  // The first sample is there even if no tick comes before the end.
  RssReader rss;
  on_tick(this, started_ns_, rss.bytes());
  subscription_ = followed_->subscribe(on_tick, this);
}

TickFollower::~TickFollower() { stop(); }

void TickFollower::set_rate(double rate_hz) { period_ns_.store(Sampler::period_ns(rate_hz), std::memory_order_relaxed); }

/** On the sampler's thread. A tick that comes a little early is not left out: those come at a rate of their own. */
void TickFollower::on_tick(void* self, std::int64_t now_ns, double rss_bytes) {
  auto& follower = *static_cast<TickFollower*>(self);
  const std::int64_t period_ns = follower.period_ns_.load(std::memory_order_relaxed);
  if (now_ns < follower.due_ns_ - period_ns / 4) return;
  follower.due_ns_ = std::max(follower.due_ns_ + period_ns, now_ns + period_ns / 2);
  if (follower.stream_->sample(*follower.group_, {&rss_bytes, 1}, now_ns))
    follower.samples_.fetch_add(1, std::memory_order_relaxed);
  follower.slots_.scan(now_ns);
  follower.ticks_->tick(now_ns, rss_bytes);
}

SamplerStatistics TickFollower::stop() {
  if (!stopped_ns_) {
    followed_->unsubscribe(subscription_);
    stopped_ns_ = monotonic_now_ns();
    // What was counted since the last tick.
    slots_.scan(*stopped_ns_);
    slots_.close();
    // Seals its block, and lets the recording be closed.
    stream_.reset();
  }
  return statistics();
}

SamplerStatistics TickFollower::statistics() const noexcept {
  return {
      .samples = samples_.load(std::memory_order_relaxed),
      .missed_ticks = 0,
      .cpu_ns = 0,
      .elapsed_ns = static_cast<std::uint64_t>(stopped_ns_.value_or(monotonic_now_ns()) - started_ns_),
  };
}

}  // namespace crucible::process
