#pragma once

#include <cstdint>

#include "heap_snapshot.h"

namespace v8 {
class Isolate;
}

namespace crucible::isolate {

struct ForkOptions {
  int descriptor;
  double bytes_max;
  bool includes_numbers;
  /** The child ends itself after so long, whatever it is stuck in. */
  unsigned seconds_max;
};

struct ChildState {
  bool is_running;
  /** Of an ended child: kExit... below, or minus the signal that ended it. */
  int exit_code;
  double cpu_ns;
  double rss_max_bytes;
};

/**
 * A heap snapshot that a forked child writes while the program goes on: it
 * stands still for as long as the fork takes (3 to 40 ms), not for as long as
 * the snapshot does. The child has the memory as it was at the fork.
 *
 * V8 does not mean to be forked; two tricks make it work on Linux:
 *  - Its heap is marked as not to be inherited (MADV_DONTFORK, so that starting
 *    programs stays cheap). The marks are lifted for the moment of the fork.
 *  - Only the forking thread exists in the child. V8 tells its helpers of work,
 *    and glibc then waits for helpers that had been waiting: in the child
 *    pthread_cond_signal and _broadcast do nothing.
 *
 * What is left: a helper may have held a lock, or been in the middle of marking,
 * at the moment of the fork. The child then never gets on (it sleeps for good)
 * and must be killed, which whoever polls does; another fork will mostly work.
 */
class ForkedSnapshot {
 public:
  static constexpr int kExitComplete = 0;
  static constexpr int kExitCancelled = 10;
  static constexpr int kExitTooLarge = 11;
  static constexpr int kExitUnwritable = 12;

  /** False: not Linux on x64 or arm64. */
  [[nodiscard]] static bool is_supported() noexcept;

  /** Forks. @throws Failure SNAPSHOT_FORK_FAILED */
  ForkedSnapshot(v8::Isolate* isolate, const ForkOptions& options);
  /** Kills and reaps a child that still runs. */
  ~ForkedSnapshot();
  ForkedSnapshot(const ForkedSnapshot&) = delete;
  ForkedSnapshot& operator=(const ForkedSnapshot&) = delete;

  [[nodiscard]] ChildState poll() noexcept;
  void kill() noexcept;

  [[nodiscard]] int pid() const noexcept { return pid_; }
  /** How long this process stood still. */
  [[nodiscard]] double pause_ns() const noexcept { return pause_ns_; }
  /** Shared with the child. */
  [[nodiscard]] const SnapshotControl& control() const noexcept { return *control_; }

 private:
  SnapshotControl* control_;
  int pid_ = -1;
  double pause_ns_ = 0;
  ChildState last_{true, 0, 0, 0};
};

}  // namespace crucible::isolate
