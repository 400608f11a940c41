#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace crucible::recording {

/**
 * A stretch of a file in memory. What is written to it is in the kernel's hands
 * at once, so it survives the death of this process in any manner.
 */
class MappedRange {
 public:
  MappedRange() = default;
  MappedRange(std::byte* mapping, std::size_t mapping_bytes, std::size_t skip) noexcept
      : mapping_(mapping), mapping_bytes_(mapping_bytes), skip_(skip) {}
  MappedRange(MappedRange&& other) noexcept { *this = std::move(other); }
  MappedRange& operator=(MappedRange&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    std::swap(mapping_bytes_, other.mapping_bytes_);
    std::swap(skip_, other.skip_);
    return *this;
  }
  ~MappedRange() { unmap(); }

  void unmap() noexcept;
  [[nodiscard]] std::byte* data() const noexcept { return mapping_ + skip_; }
  explicit operator bool() const noexcept { return mapping_ != nullptr; }

 private:
  std::byte* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0;
  /** A mapping must begin at a page (on Windows: at 64 KiB), a block need not. */
  std::size_t skip_ = 0;
};

/** The system's error number of what failed; 0 when nothing did. */
using SystemError = int;

/** What the system calls this error: "No space left on device". */
[[nodiscard]] std::string text_of(SystemError error);

/** A new file of which stretches are mapped. Not copied, not moved: its address is its identity. */
class MappedFile {
 public:
  /**
   * Makes the file, readable by its owner only. A regular file of that name is
   * unlinked first rather than truncated: whoever still writes to it keeps it.
   * @throws Failure RECORDING_UNWRITABLE
   */
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /**
   * Takes disk space for the bytes from..to, so that writing to them through a
   * mapping can no longer fail (a mapping of a full disk ends in SIGBUS).
   */
  [[nodiscard]] SystemError reserve(std::uint64_t from, std::uint64_t to) noexcept;

  /** Maps and prefaults; `range` stays empty when it fails. */
  [[nodiscard]] SystemError map(std::uint64_t offset, std::size_t bytes, MappedRange& range) noexcept;

  void truncate(std::uint64_t bytes) noexcept;

 private:
#if defined(_WIN32)
  void* handle_ = nullptr;
#else
  int descriptor_ = -1;
#endif
};

/** CLOCK_MONOTONIC, the clock of process.hrtime.bigint(). */
[[nodiscard]] std::int64_t monotonic_now_ns() noexcept;
[[nodiscard]] std::int64_t epoch_now_ns() noexcept;
[[nodiscard]] std::uint32_t current_pid() noexcept;

}  // namespace crucible::recording
