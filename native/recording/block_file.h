#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "block_table.h"
#include "group.h"
#include "layout.h"
#include "mapped_file.h"

namespace crucible::recording {

struct RecordingStatus {
  std::uint64_t bytes_written;
  std::uint64_t records_dropped;
  /** Why, in the system's words; empty when nothing was dropped. */
  std::string failure;
  /** How often old blocks were reduced to make room. */
  std::uint64_t reductions;
  /** Of the file, mapped into this process: the blocks that are being filled. */
  std::uint64_t memory_bytes;
};

/**
 * The file as a row of blocks: makes it, hands out blocks, and keeps the books
 * in the header page. Where the file may not grow any further it reduces its
 * oldest blocks (layout.h) and hands theirs out again. Safe to use from any
 * thread.
 */
class BlockFile {
 public:
  /** @param bytes_max of the file; 0: no bound. @throws Failure RECORDING_UNWRITABLE, USAGE */
  BlockFile(const std::string& path, std::string_view details, std::uint64_t bytes_max);

  struct TakenBlock {
    MappedRange bytes;
    std::uint32_t number = 0;
  };
  /** Hands out a block, its header filled in. On failure (disk full, mostly) it stays empty. */
  [[nodiscard]] SystemError take_block(const BlockClaim& claim, TakenBlock& block) noexcept;
  /** Nothing will be added to it. */
  void block_sealed(std::uint32_t number) noexcept;
  /** Before the first sample of the group. @throws std::bad_alloc */
  void add_group(std::shared_ptr<const Group> group);

  [[nodiscard]] bool is_bounded() const noexcept { return table_.is_bounded(); }
  /**
   * Reduces old blocks until there is room for a while, so that nobody who takes a block has to wait for it.
   * Some milliseconds for each eight blocks.
   */
  void make_room() noexcept;

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
  [[nodiscard]] SystemError take_locked(const BlockClaim& claim, TakenBlock& block, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] SystemError reserve_up_to_locked(std::uint32_t block) noexcept;
  [[nodiscard]] bool reduce_one(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool reduce(const BlockRun& run, std::uint32_t into, const GroupTable& groups) noexcept;
  void note_failure_locked(SystemError error) noexcept;

  MappedFile file_;
  std::uint64_t header_bytes_;
  MappedRange header_;
  mutable std::mutex mutex_;
  std::uint32_t reserved_blocks_ = 0;
  SystemError noted_failure_ = 0;
  BlockTable table_;
  GroupTable groups_;
  std::uint64_t reductions_ = 0;
  /** One at a time: for a second one there may be no block to write to. */
  bool is_reducing_ = false;
  std::condition_variable reduced_;
};

}  // namespace crucible::recording
