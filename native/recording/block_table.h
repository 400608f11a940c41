#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "layout.h"

namespace crucible::recording {

/** What a block is taken for. */
struct BlockClaim {
  BlockType type;
  std::uint32_t stream;
  std::uint32_t sequence;
  std::int64_t base_ns;
};

/** Blocks of one stream, each directly behind the one before it, to be reduced to one. */
struct BlockRun {
  std::vector<std::uint32_t> blocks;
  std::uint32_t stream;
  std::uint32_t sequence;
  std::uint32_t covered;
  std::uint8_t level;
};

/**
 * Which block of a file is what, and which ones are to be reduced next when there may be no more of them.
 * src/recording/block-table.ts decides the same.
 *
 * Reduced are the oldest blocks of the stream and level that has most of them. Levels then share the file, each
 * reaching some eight times as far back as the one below it: the file never ends, and what is old gets coarse.
 * Where no two of one level lie behind each other (a small file, many streams) those of several levels do.
 *
 * Not safe to share: whoever has it locks it.
 */
class BlockTable {
 public:
  static constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kRunMax = 8;

  /** @param blocks_max how many the file may have; kUnbounded: any number */
  explicit BlockTable(std::uint32_t blocks_max) : blocks_max_(blocks_max) {}

  /** A block for a stream; none while the last one has to be kept for a reduction. @throws std::bad_alloc */
  [[nodiscard]] std::optional<std::uint32_t> take(const BlockClaim& claim);
  /** The block that a run is to be reduced into. */
  [[nodiscard]] std::optional<std::uint32_t> take_for(const BlockRun& run);
  void give_back(std::uint32_t block) noexcept { set_free(block); }
  /** Nothing is added to it any more. */
  void sealed(std::uint32_t block) noexcept;

  /** What to reduce next, so many blocks at most; nobody else gets them until finished() or give_up(). */
  [[nodiscard]] std::optional<BlockRun> next_run(std::size_t blocks_max = kRunMax);
  /** They are in `reduced` now, and free. */
  void finished(const BlockRun& run, std::uint32_t reduced) noexcept;
  /** They were not reduced. @param keeps_first it is not tried again */
  void give_up(const BlockRun& run, bool keeps_first) noexcept;

  /** Blocks of the file so far, free ones included. */
  [[nodiscard]] std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(uses_.size()); }
  /** Blocks to which something may still be added. */
  [[nodiscard]] std::size_t blocks_in_use() const noexcept;
  [[nodiscard]] bool is_bounded() const noexcept { return blocks_max_ != kUnbounded; }
  [[nodiscard]] std::uint32_t blocks_max() const noexcept { return blocks_max_; }
  /** How many more could be taken. */
  [[nodiscard]] std::uint32_t left() const noexcept { return blocks_max_ - count() + free_; }

 private:
  enum class State : std::uint8_t { free, open, sealed, reducing, kept };
  struct Use {
    std::uint32_t stream;
    std::uint32_t sequence;
    std::uint32_t covered;
    std::uint8_t level;
    State state;
  };

  [[nodiscard]] std::optional<BlockRun> best_run(std::size_t run_max, bool is_of_one_level) const;
  [[nodiscard]] std::optional<std::uint32_t> take_any(const Use& use);
  void set_free(std::uint32_t block) noexcept;

  std::uint32_t blocks_max_;
  std::vector<Use> uses_;
  std::uint32_t free_ = 0;
};

}  // namespace crucible::recording
