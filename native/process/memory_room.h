#pragma once

#include <limits>
#include <memory>
#include <string>

namespace crucible::process {

/** How much more memory this process may take. All in bytes; NaN: not known here. */
struct MemoryRoom {
  /** The least of what the limits below leave. */
  double available_bytes = std::numeric_limits<double>::quiet_NaN();
  /** The limit that leaves least, and what counts towards it already. */
  double limit_bytes = std::numeric_limits<double>::quiet_NaN();
  double used_bytes = std::numeric_limits<double>::quiet_NaN();
  /** "cgroup v2 /sys/fs/cgroup/app", "cgroup v1 ...", "the system", "ulimit -d", "ulimit -v". */
  const char* limited_by = "";
};

/**
 * Reads what limits a process's memory: its cgroup (version 1 or 2) and all
 * that lie above it, the system, and on Linux ulimit -d and -v. Page cache that
 * the kernel would drop first does not count as used.
 * Some 10 us a reading on Linux, without allocating. One thread at a time.
 */
class MemoryRoomReader {
 public:
  /** @param root before /proc and /sys: another one in tests */
  explicit MemoryRoomReader(const std::string& root = "");
  ~MemoryRoomReader();
  MemoryRoomReader(const MemoryRoomReader&) = delete;
  MemoryRoomReader& operator=(const MemoryRoomReader&) = delete;

  /** Never throws: what cannot be read does not limit. `limited_by` is valid while this lives. */
  [[nodiscard]] MemoryRoom read() const noexcept;

 private:
  struct Limits;
  std::unique_ptr<Limits> limits_;
};

}  // namespace crucible::process
