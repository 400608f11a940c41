// What the system itself takes for waking a thread 1000 times a second, with
// nothing done in between: the floor under every sampler of that rate.
//
//   bare_wakeup MILLISECONDS      prints CPU time over wall-clock time, percent
#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <time.h>

namespace {

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int count, char** arguments) {
  const int ticks = count > 1 ? std::atoi(arguments[1]) : 2000;
  prctl(PR_SET_TIMERSLACK, 1);
  timespec deadline{};
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  const double wall_before = seconds(CLOCK_MONOTONIC);
  const double cpu_before = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int tick = 0; tick < ticks; tick++) {
    deadline.tv_nsec += 1'000'000;
    if (deadline.tv_nsec >= 1'000'000'000) {
      deadline.tv_nsec -= 1'000'000'000;
      deadline.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
  }
  const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
  std::printf("%.4f\n", 100 * cpu / (seconds(CLOCK_MONOTONIC) - wall_before));
}
