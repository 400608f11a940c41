#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block_file.h"
#include "encoding.h"
#include "group.h"
#include "layout.h"

namespace crucible::recording {

/** A recording waits for its own streams to be closed; those of guests (other threads) it may outlive. */
enum class StreamOwner : std::uint8_t { recording, guest };

/**
 * The records of one thread, in blocks of its own: appending takes no lock,
 * allocates nothing, and costs some 30 ns. Where no block can be had (the disk
 * is full) records are dropped and counted, and a block is asked for again a
 * little later. In a recording that was closed meanwhile they go nowhere.
 *
 * Not safe to share: one stream, one thread at a time.
 */
class Stream {
 public:
  Stream(std::shared_ptr<BlockFile> file, BlockType type, std::uint32_t id,
         StreamOwner owner = StreamOwner::recording);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /** Must come before the first sample of the group in this stream; allocates. */
  void attach(const Group& group);

  /**
   * One value a channel; NaN is absent, and so is what an integer channel cannot hold.
   * @param time_ns of monotonic_now_ns()
   * @returns false when it was dropped
   */
  bool sample(const Group& group, std::span<const double> values, std::int64_t time_ns) noexcept;

  /** @param detail JSON text of any length; @param name at most kNameBytesMax */
  bool event(std::string_view name, std::string_view detail, std::int64_t time_ns) noexcept;

  bool definition(std::uint32_t group_id, std::string_view json, std::int64_t time_ns) noexcept;

  static constexpr std::size_t kNameBytesMax = 1024;

 private:
  /** What deltas of one group are taken against. */
  struct Previous {
    std::uint32_t block_sequence = kNoBlock;
    std::vector<std::int64_t> values;
  };
  static constexpr std::uint32_t kNoBlock = 0xffffffff;
  /** length, at most 3 bytes of varint; check; kind */
  static constexpr std::size_t kRecordOverhead = 3 + 2 + 1;
  /** A text that is longer may be cut where a block ends. */
  static constexpr std::size_t kKeptWholeBytes = 1024;
  static constexpr std::int64_t kRetryAfterNs = 100'000'000;

  bool make_room(std::size_t bytes, std::int64_t elapsed_ns) noexcept;
  void seal() noexcept;
  [[nodiscard]] std::size_t room() const noexcept { return kPayloadBytes - used_; }
  [[nodiscard]] std::byte* payload() const noexcept { return block_.bytes.data() + sizeof(BlockHeader); }
  [[nodiscard]] BlockHeader* header() const noexcept { return reinterpret_cast<BlockHeader*>(block_.bytes.data()); }
  [[nodiscard]] std::uint64_t time_step(std::int64_t elapsed_ns) noexcept;

  ByteCursor begin(std::uint8_t kind) noexcept;
  void commit(const ByteCursor& end) noexcept;
  void encode_values(const Group& group, std::span<const double> values, ByteCursor& out) noexcept;
  template <class EncodeHead>
  bool text_record(RecordKind kind, std::size_t head_bytes_max, const EncodeHead& encode_head, std::string_view text,
                   std::int64_t elapsed_ns) noexcept;

  std::shared_ptr<BlockFile> file_;
  BlockType type_;
  std::uint32_t id_;
  StreamOwner owner_;
  std::uint32_t next_sequence_ = 0;
  BlockFile::TakenBlock block_;
  std::size_t used_ = 0;
  std::int64_t last_ns_ = 0;
  std::int64_t retry_at_ns_ = 0;
  std::vector<Previous> previous_by_group_;
};

}  // namespace crucible::recording
