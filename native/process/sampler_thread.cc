#include "sampler_thread.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#include <time.h>
#endif
#if defined(__linux__)
#include <cerrno>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <utility>

namespace crucible::process {

namespace {

#if defined(__linux__)
/** The kernel's struct sched_attr, first version: C libraries name it only since 2024. */
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};

/**
 * Asks for short slices of CPU, so that this thread, which wakes often and
 * runs for microseconds, gets its turn on a busy machine before those that run
 * for milliseconds. Needs no privilege; kernels before 6.12 ignore it.
 */
void ask_for_short_slices() noexcept {
  constexpr std::uint64_t kShortestSliceNs = 100'000;
  SchedulingAttributes attributes{};
  attributes.size = sizeof attributes;
  attributes.nice = getpriority(PRIO_PROCESS, 0);
  attributes.runtime_ns = kShortestSliceNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}
#endif

void prepare_this_thread([[maybe_unused]] const char* name) noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), name);
  // Timers may be late by 50 us unless a thread asks for better.
  prctl(PR_SET_TIMERSLACK, 1);
  ask_for_short_slices();
#elif defined(__APPLE__)
  pthread_setname_np(name);
#endif
}

#if !defined(_WIN32)
/** The program's signals are for the program's threads; a new thread inherits what is blocked. */
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};
#endif

}  // namespace

SamplerThread::SamplerThread(const char* name, std::function<void(SamplerThread&)> work) {
#if !defined(_WIN32)
  const SignalsBlocked for_the_new_thread;
#endif
  thread_ = std::thread([this, name, work = std::move(work)] {
    prepare_this_thread(name);
    work(*this);
  });
}

bool SamplerThread::sleep_until(Moment moment) {
#if defined(__linux__)
  if (moment - std::chrono::steady_clock::now() <= kNapAtMost) return nap_until(moment);
#endif
  std::unique_lock lock(mutex_);
  return !wake_.wait_until(lock, moment, [this] { return is_stopping_.load(); });
}

#if defined(__linux__)
/** A sleep that stop() cannot cut short, and that costs a tenth to a fifth less CPU than one that it can. */
bool SamplerThread::nap_until(Moment moment) const {
  // On Linux steady_clock is CLOCK_MONOTONIC.
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count();
  const timespec deadline{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr) == EINTR) {
  }
  return !is_stopping_.load();
}
#endif

void SamplerThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::uint64_t thread_cpu_ns() noexcept {
#if defined(_WIN32)
  FILETIME created, exited, kernel, user;
  if (!GetThreadTimes(GetCurrentThread(), &created, &exited, &kernel, &user)) return 0;
  const auto ticks = [](const FILETIME& t) { return (std::uint64_t{t.dwHighDateTime} << 32) | t.dwLowDateTime; };
  return (ticks(kernel) + ticks(user)) * 100;
#else
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
#endif
}

}  // namespace crucible::process
