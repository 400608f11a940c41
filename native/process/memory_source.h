#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

/**
 * Where memory figures come from, one implementation a system:
 * memory_source_linux.cc, memory_source_mac.cc, memory_source_windows.cc.
 */
namespace crucible::process {

/** A figure that cannot be had. Never 0: that would be a figure. */
inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

/** Memory of this process; src/native.ts says what the figures mean. All but the count in bytes. */
struct ProcessMemory {
  double rss_bytes = kAbsent;
  double map_heap_bytes = kAbsent;
  double stack_bytes = kAbsent;
  double anonymous_bytes = kAbsent;
  double file_bytes = kAbsent;
  double thread_count = kAbsent;
};

/** RSS of this process, again and again: half a microsecond a time, without allocating. One thread at a time. */
class RssReader {
 public:
  /** @throws Failure PROC_UNREADABLE */
  RssReader();
  ~RssReader();
  RssReader(const RssReader&) = delete;
  RssReader& operator=(const RssReader&) = delete;

  [[nodiscard]] double bytes() noexcept;

 private:
  int descriptor_ = -1;
};

/**
 * The parts of this process's memory. After the first reading it allocates only
 * when the process has more threads than ever before. One thread at a time.
 */
class MemoryReader {
 public:
  /** @throws Failure PROC_UNREADABLE */
  MemoryReader();
  ~MemoryReader();
  MemoryReader(const MemoryReader&) = delete;
  MemoryReader& operator=(const MemoryReader&) = delete;

  /** 0.2 ms with a dozen threads. */
  [[nodiscard]] ProcessMemory read();

  /**
   * Resident memory, with what is shared divided by the number of sharers.
   * The kernel walks all page tables for it: 0.7 ms at 50 MB, 6 ms at 1 GB.
   */
  [[nodiscard]] double pss_bytes() noexcept;

 private:
  struct Sources;
  std::unique_ptr<Sources> sources_;
};

/**
 * RSS of any process, in bytes; nothing when there is no such process (any more).
 * @throws Failure PROC_UNREADABLE when it runs and may not be looked at
 */
[[nodiscard]] std::optional<std::uint64_t> rss_of(std::int64_t pid);

/**
 * Limits the private writable memory of this process to what it has now plus
 * `bytes`. Returns the limit in bytes; nothing where the system has no such limit.
 * @throws Failure PROC_UNREADABLE
 */
std::optional<std::uint64_t> limit_memory_growth(std::uint64_t bytes);
void unlimit_memory_growth() noexcept;

}  // namespace crucible::process
