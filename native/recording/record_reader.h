#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "group.h"

namespace crucible::recording {

/** What is kept of some values of one channel; of a single value, that value four times. */
struct ChannelSummary {
  /** 0: none was present, and the rest means nothing. */
  std::uint64_t count;
  double min;
  double max;
  double mean;
  double last;
};

/** Hears of the records of a block in their order. */
class RecordListener {
 public:
  virtual ~RecordListener() = default;
  /** A sample (then both times are the same), or what is kept of several. */
  virtual void samples(const Group& group, std::int64_t first_ns, std::int64_t last_ns,
                       std::span<const ChannelSummary> channels) = 0;
  /** An event, or a piece of a long one. `body` of a first piece begins behind its time. */
  virtual void event_piece(std::uint8_t head, std::int64_t time_ns, std::span<const std::byte> body) = 0;
};

/** The used part of a block's payload. */
struct BlockView {
  std::span<const std::byte> payload;
  std::int64_t base_ns;
};

/** Only for blocks that this process has written itself: nothing is checked. */
void read_records(const BlockView& block, const GroupTable& groups, RecordListener& listener);

}  // namespace crucible::recording
