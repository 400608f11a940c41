#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <utility>
#include <vector>

#include "heap/base/crew.h"

namespace crucible::heap {

/**
 * Jobs, some of which need the results of others. Each thread takes the first
 * one in the list that has what it needs; so the longest chain is listed first,
 * and with one thread everything runs in the order of the list.
 */
class Jobs {
 public:
  using Job = std::size_t;

  /** @param needs jobs that were added before */
  template <class Work>
  Job add(std::initializer_list<Job> needs, Work work) {
    entries_.push_back({std::move(work), needs});
    return entries_.size() - 1;
  }

  /** Runs all of them once. After an exception no other job begins, and it is thrown again here. */
  void run(const Crew& crew) {
    crew.each([this](unsigned) { work(); });
  }

 private:
  enum class State { kWaiting, kRunning, kDone };
  struct Entry {
    std::function<void()> work;
    std::vector<Job> needs;
    State state = State::kWaiting;
  };

  void work() {
    std::unique_lock lock(mutex_);
    while (Entry* entry = next(lock)) {
      entry->state = State::kRunning;
      lock.unlock();
      try {
        entry->work();
      } catch (...) {
        lock.lock();
        failed_ = true;
        changed_.notify_all();
        throw;
      }
      lock.lock();
      entry->state = State::kDone;
      changed_.notify_all();
    }
  }

  /** Waits for a job that can run; null when there will be none. */
  Entry* next(std::unique_lock<std::mutex>& lock) {
    for (;; changed_.wait(lock)) {
      bool any_waiting = false;
      for (Entry& entry : entries_) {
        if (failed_) return nullptr;
        if (entry.state != State::kWaiting) continue;
        any_waiting = true;
        if (is_ready(entry)) return &entry;
      }
      if (!any_waiting) return nullptr;
    }
  }

  [[nodiscard]] bool is_ready(const Entry& entry) const {
    for (const Job need : entry.needs)
      if (entries_[need].state != State::kDone) return false;
    return true;
  }

  std::vector<Entry> entries_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool failed_ = false;
};

}  // namespace crucible::heap
