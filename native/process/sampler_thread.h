#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace crucible::process {

/**
 * A thread that sleeps until given moments and can be woken to end. It takes
 * no signals, and asks the system to wake it exactly.
 */
class SamplerThread {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  /** @param name at most 15 characters; seen in top and gdb. @param work ends when sleep_until() says so */
  SamplerThread(const char* name, std::function<void(SamplerThread&)> work);
  ~SamplerThread() { stop(); }
  SamplerThread(const SamplerThread&) = delete;
  SamplerThread& operator=(const SamplerThread&) = delete;

  /** For `work`: false when the thread has to end. */
  [[nodiscard]] bool sleep_until(Moment moment);

  /** Joins. Returns as soon as what the thread is doing is done, and a nap of at most 20 ms. */
  void stop();

 private:
  /** A shorter sleep need not be cut short. */
  static constexpr std::chrono::milliseconds kNapAtMost{20};

  bool nap_until(Moment moment) const;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

/** CPU time of the calling thread so far. */
[[nodiscard]] std::uint64_t thread_cpu_ns() noexcept;

}  // namespace crucible::process
