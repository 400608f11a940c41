#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace crucible::heap {

/**
 * A handful of threads for work that splits. With one thread everything runs
 * on the caller, in the same order: results never depend on the number.
 */
class Crew {
 public:
  /** @param threads 0: as many as the machine has cores, at most 8 */
  explicit Crew(unsigned threads = 0) : threads_(threads) {
    if (threads_ == 0) threads_ = std::thread::hardware_concurrency();
    if (threads_ == 0) threads_ = 1;
    if (threads == 0 && threads_ > 8) threads_ = 8;
  }

  [[nodiscard]] unsigned threads() const { return threads_; }

  /** Calls work(worker) once on each thread. The first exception is thrown again here. */
  template <class Work>
  void each(Work work) const {
    if (threads_ == 1) {
      work(0u);
      return;
    }
    Trouble trouble;
    {
      std::vector<Hand> hands;
      for (unsigned worker = 1; worker < threads_; ++worker)
        hands.emplace_back([&, worker] { trouble.guard([&] { work(worker); }); });
      trouble.guard([&] { work(0u); });
    }
    trouble.rethrow();
  }

  /** Calls work(first, last) for pieces of 0..size, each `grain` long: `grain` is what stays on one thread. */
  template <class Work>
  void split(std::size_t size, std::size_t grain, Work work) const {
    if (threads_ == 1 || size <= grain) {
      for (std::size_t first = 0; first < size; first += grain)
        work(first, first + grain < size ? first + grain : size);
      return;
    }
    std::atomic<std::size_t> next{0};
    each([&](unsigned) {
      for (;;) {
        const std::size_t first = next.fetch_add(grain);
        if (first >= size) return;
        work(first, first + grain < size ? first + grain : size);
      }
    });
  }

  /** Two independent jobs at the same time, or one after the other. */
  template <class Left, class Right>
  void both(Left left, Right right) const {
    if (threads_ == 1) {
      left();
      right();
      return;
    }
    Trouble trouble;
    {
      const Hand other([&] { trouble.guard(right); });
      trouble.guard(left);
    }
    trouble.rethrow();
  }

 private:
  /** std::jthread, which Apple's library does not have. */
  class Hand {
   public:
    template <class Work>
    explicit Hand(Work work) : thread_(std::move(work)) {}
    Hand(Hand&&) = default;
    Hand(const Hand&) = delete;
    ~Hand() {
      if (thread_.joinable()) thread_.join();
    }

   private:
    std::thread thread_;
  };

  class Trouble {
   public:
    template <class Work>
    void guard(Work&& work) {
      try {
        work();
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!first_) first_ = std::current_exception();
      }
    }
    void rethrow() {
      if (first_) std::rethrow_exception(first_);
    }

   private:
    std::mutex mutex_;
    std::exception_ptr first_;
  };

  unsigned threads_;
};

}  // namespace crucible::heap
