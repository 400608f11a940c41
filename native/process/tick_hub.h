#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace crucible::process {

/**
 * Tells others of the sampler's ticks, on the sampler's thread: waking up is
 * what sampling costs, so whoever has something to do at that rate does it then.
 */
class TickHub {
 public:
  using OnTick = void (*)(void* data, std::int64_t now_ns, double rss_bytes);

  /** From any thread. `on_tick` must not wait for anything, nor subscribe or unsubscribe. */
  [[nodiscard]] std::uint64_t subscribe(OnTick on_tick, void* data) {
    const std::lock_guard lock(mutex_);
    subscribers_.push_back({++last_id_, on_tick, data});
    return last_id_;
  }

  /** From any thread; afterwards `on_tick` neither runs nor will. */
  void unsubscribe(std::uint64_t id) noexcept {
    const std::lock_guard lock(mutex_);
    std::erase_if(subscribers_, [id](const Subscriber& subscriber) { return subscriber.id == id; });
  }

  void tick(std::int64_t now_ns, double rss_bytes) {
    const std::lock_guard lock(mutex_);
    for (const Subscriber& subscriber : subscribers_) subscriber.on_tick(subscriber.data, now_ns, rss_bytes);
  }

 private:
  struct Subscriber {
    std::uint64_t id;
    OnTick on_tick;
    void* data;
  };

  std::mutex mutex_;
  std::vector<Subscriber> subscribers_;
  std::uint64_t last_id_ = 0;
};

}  // namespace crucible::process
