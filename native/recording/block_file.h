#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "layout.h"
#include "mapped_file.h"

namespace crucible::recording {

struct RecordingStatus {
  std::uint64_t bytes_written;
  std::uint64_t records_dropped;
  /** Why, in the system's words; empty when nothing was dropped. */
  std::string failure;
};

/**
 * The file as a row of blocks: makes it, hands out blocks, and keeps the books
 * in the header page. Safe to use from any thread.
 */
class BlockFile {
 public:
  /** @throws Failure RECORDING_UNWRITABLE */
  BlockFile(const std::string& path, std::string_view details);

  struct Claim {
    BlockType type;
    std::uint32_t stream;
    std::uint32_t sequence;
    std::int64_t base_ns;
  };
  /** Hands out the next block, its header filled in. On failure (disk full, mostly) `block` stays empty. */
  [[nodiscard]] SystemError take_block(const Claim& claim, MappedRange& block) noexcept;

  /** Counts one record that was not written. */
  void count_dropped() noexcept { header()->records_dropped.fetch_add(1, std::memory_order_relaxed); }

  /** Cuts what was reserved and not used. Streams of guests may still be open: they get no further blocks. */
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return header()->closed.load(std::memory_order_acquire) != 0; }

  [[nodiscard]] RecordingStatus status() const;
  [[nodiscard]] std::int64_t start_ns() const noexcept { return header()->start_monotonic_ns; }

  std::atomic<std::uint32_t> open_streams{0};

 private:
  /** 1 MiB at a time: reserving is a system call that may take a millisecond. */
  static constexpr std::uint32_t kBlocksPerReservation = 16;

  [[nodiscard]] FileHeader* header() const noexcept { return reinterpret_cast<FileHeader*>(header_.data()); }
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t block) const noexcept {
    return header_bytes_ + block * kBlockBytes;
  }
  [[nodiscard]] SystemError reserve_locked() noexcept;
  [[nodiscard]] SystemError take_locked(const Claim& claim, MappedRange& block) noexcept;
  void note_failure_locked(SystemError error) noexcept;

  MappedFile file_;
  std::uint64_t header_bytes_;
  MappedRange header_;
  mutable std::mutex mutex_;
  std::uint32_t reserved_blocks_ = 0;
  SystemError noted_failure_ = 0;
};

}  // namespace crucible::recording
