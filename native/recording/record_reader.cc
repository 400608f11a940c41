#include "record_reader.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "layout.h"

namespace crucible::recording {

namespace {

/** Reads forward through the bytes of a block. */
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_at_end() const noexcept { return at_ >= bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> rest() const noexcept { return bytes_.subspan(at_); }

  std::uint8_t byte() noexcept { return at_ < bytes_.size() ? static_cast<std::uint8_t>(bytes_[at_++]) : 0; }

  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) break;
    }
    return value;
  }

  std::int64_t zigzag() noexcept {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }

  double real() noexcept {
    double value = 0;
    if (bytes_.size() - at_ >= sizeof value) std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ = std::min(at_ + sizeof value, bytes_.size());
    return value;
  }

  std::span<const std::byte> take(std::size_t count) noexcept {
    const auto taken = bytes_.subspan(at_, std::min(count, bytes_.size() - at_));
    at_ += taken.size();
    return taken;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

class BlockReader {
 public:
  BlockReader(const BlockView& block, const GroupTable& groups, RecordListener& listener)
      : bytes_(block.payload), elapsed_ns_(block.base_ns), groups_(groups), listener_(listener),
        previous_(groups.size()) {}

  void read() {
    while (!bytes_.is_at_end()) {
      const std::uint64_t length = bytes_.varint();
      if (length == 0) return;
      bytes_.take(2);
      record(ByteReader(bytes_.take(length)));
    }
  }

 private:
  void record(ByteReader record) {
    const std::uint8_t head = record.byte();
    switch (static_cast<RecordKind>(head & kKindMask)) {
      case RecordKind::sample: return sample(record, false);
      case RecordKind::sparse_sample: return sample(record, true);
      case RecordKind::summary: return summary(record);
      case RecordKind::event:
        if ((head & kContinuesPrevious) == 0) elapsed_ns_ += record.zigzag();
        return listener_.event_piece(head, elapsed_ns_, record.rest());
      default: return;
    }
  }

  void sample(ByteReader& record, bool is_sparse) {
    const Group& group = *groups_[record.varint()];
    elapsed_ns_ += record.zigzag();
    const std::size_t channels = group.kinds.size();
    const auto presence = record.take(is_sparse ? (channels + 7) / 8 : 0);
    auto& previous = previous_of(group);
    summaries_.resize(channels);
    for (std::size_t i = 0; i < channels; i++) {
      if (is_sparse && (static_cast<unsigned>(presence[i / 8]) >> (i % 8) & 1) == 0) {
        summaries_[i] = {};
        continue;
      }
      const double value = value_of(group.kinds[i], record, previous[i]);
      summaries_[i] = {1, value, value, value, value};
    }
    listener_.samples(group, elapsed_ns_, elapsed_ns_, summaries_);
  }

  void summary(ByteReader& record) {
    const Group& group = *groups_[record.varint()];
    elapsed_ns_ += record.zigzag();
    const std::int64_t first_ns = elapsed_ns_ - static_cast<std::int64_t>(record.varint());
    auto& previous = previous_of(group);
    summaries_.resize(group.kinds.size());
    for (std::size_t i = 0; i < summaries_.size(); i++) {
      ChannelSummary& channel = summaries_[i];
      channel = {record.varint(), 0, 0, 0, 0};
      if (channel.count == 0) continue;
      channel.min = value_of(group.kinds[i], record, previous[i]);
      channel.max = channel.mean = channel.last = channel.min;
      if (channel.count == 1) continue;
      std::int64_t at_min = previous[i];
      channel.max = value_of(group.kinds[i], record, at_min);
      channel.mean = record.real();
      channel.last = value_of(group.kinds[i], record, previous[i]);
    }
    listener_.samples(group, first_ns, elapsed_ns_, summaries_);
  }

  /** Integers count from `previous`, and become it. */
  static double value_of(ChannelKind kind, ByteReader& record, std::int64_t& previous) {
    if (kind == ChannelKind::real) return record.real();
    previous += record.zigzag();
    return static_cast<double>(previous);
  }

  std::vector<std::int64_t>& previous_of(const Group& group) {
    auto& previous = previous_[group.id];
    previous.resize(group.kinds.size());
    return previous;
  }

  ByteReader bytes_;
  std::int64_t elapsed_ns_;
  const GroupTable& groups_;
  RecordListener& listener_;
  std::vector<std::vector<std::int64_t>> previous_;
  std::vector<ChannelSummary> summaries_;
};

}  // namespace

void read_records(const BlockView& block, const GroupTable& groups, RecordListener& listener) {
  BlockReader(block, groups, listener).read();
}

}  // namespace crucible::recording
