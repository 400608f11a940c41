#pragma once

#include <atomic>
#include <cstdint>

#include "heap/base/snapshot_error.h"

namespace crucible::heap {

enum class Phase : std::uint8_t {
  kWaiting,
  kParsing,
  kDominators,
  kDistances,
  kSizes,
  kRetainers,
  kClasses,
  kComparing,
  kAnswering,
  kWriting,
  kDone,
};

/** In plain words. */
[[nodiscard]] constexpr const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::kWaiting: return "waiting";
    case Phase::kParsing: return "parsing";
    case Phase::kDominators: return "dominators";
    case Phase::kDistances: return "distances";
    case Phase::kSizes: return "sizes";
    case Phase::kRetainers: return "retainers";
    case Phase::kClasses: return "classes";
    case Phase::kComparing: return "comparing";
    case Phase::kAnswering: return "answering";
    case Phase::kWriting: return "writing";
    case Phase::kDone: return "done";
  }
  return "";
}

/** Another thread reads this while the work runs, and may ask it to stop. */
class Progress {
 public:
  void enter(Phase phase) {
    check();
    phase_.store(phase, std::memory_order_relaxed);
    percent_.store(0, std::memory_order_relaxed);
  }
  void at(std::uint64_t done, std::uint64_t of) {
    check();
    percent_.store(of == 0 ? 100 : static_cast<float>(100.0 * double(done) / double(of)),
                   std::memory_order_relaxed);
  }
  /** Work on several files says which one it is at, counting from one. */
  void file(std::uint32_t number, std::uint32_t of) {
    check();
    file_count_.store(of, std::memory_order_relaxed);
    file_number_.store(number, std::memory_order_relaxed);
  }
  /** Throws INTERRUPTED after cancel(): call it from every long loop now and then. */
  void check() const {
    if (!cancelled_.load(std::memory_order_relaxed)) return;
    throw SnapshotError("INTERRUPTED", {kNoOffset, "the analysis was stopped", "the caller cancelled it",
                                        "start it again to get a result"});
  }
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t file_number() const { return file_number_.load(std::memory_order_relaxed); }
  /** Zero unless the work is on several files. */
  [[nodiscard]] std::uint32_t file_count() const { return file_count_.load(std::memory_order_relaxed); }
  [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_relaxed); }
  [[nodiscard]] float percent() const { return percent_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Phase> phase_{Phase::kWaiting};
  std::atomic<float> percent_{0};
  std::atomic<std::uint32_t> file_number_{0};
  std::atomic<std::uint32_t> file_count_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace crucible::heap
