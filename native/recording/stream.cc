#include "stream.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "checksum.h"

namespace crucible::recording {

namespace {

bool is_present(double value, ChannelKind kind) noexcept {
  if (kind == ChannelKind::real) return !std::isnan(value);
  return std::abs(value) <= kIntegerMax;  // false for NaN too
}

/** Halves go up. Adding 0.5 at once would move odd integers above 2^52. */
std::int64_t nearest_integer(double value) noexcept {
  const double below = std::floor(value);
  return static_cast<std::int64_t>(value - below >= 0.5 ? below + 1 : below);
}

}  // namespace

Stream::Stream(std::shared_ptr<BlockFile> file, BlockType type, std::uint32_t id, StreamOwner owner)
    : file_(std::move(file)), type_(type), id_(id), owner_(owner) {
  if (owner_ == StreamOwner::recording) file_->open_streams.fetch_add(1, std::memory_order_relaxed);
}

Stream::~Stream() {
  seal();
  if (owner_ == StreamOwner::recording) file_->open_streams.fetch_sub(1, std::memory_order_release);
}

void Stream::attach(const Group& group) {
  if (previous_by_group_.size() <= group.id) previous_by_group_.resize(group.id + 1);
  previous_by_group_[group.id].values.resize(group.kinds.size());
}

bool Stream::sample(const Group& group, std::span<const double> values, std::int64_t time_ns) noexcept {
  const std::size_t channels = group.kinds.size();
  const std::size_t bytes_max =
      kRecordOverhead + 2 * kVarintBytesMax + (channels + 7) / 8 + channels * kVarintBytesMax;
  const std::int64_t elapsed_ns = time_ns - file_->start_ns();
  if (!make_room(bytes_max, elapsed_ns)) return false;

  bool all_present = true;
  for (std::size_t i = 0; i < channels; i++) all_present &= is_present(values[i], group.kinds[i]);

  ByteCursor out = begin(static_cast<std::uint8_t>(all_present ? RecordKind::sample : RecordKind::sparse_sample));
  out.varint(group.id);
  out.varint(time_step(elapsed_ns));
  if (!all_present) {
    for (std::size_t first = 0; first < channels; first += 8) {
      std::uint8_t bits = 0;
      for (std::size_t i = first; i < std::min(first + 8, channels); i++)
        if (is_present(values[i], group.kinds[i])) bits |= static_cast<std::uint8_t>(1u << (i - first));
      out.byte(bits);
    }
  }
  encode_values(group, values, out);
  commit(out);
  return true;
}

void Stream::encode_values(const Group& group, std::span<const double> values, ByteCursor& out) noexcept {
  Previous& previous = previous_by_group_[group.id];
  const std::uint32_t sequence = next_sequence_ - 1;
  if (previous.block_sequence != sequence) {
    std::fill(previous.values.begin(), previous.values.end(), 0);
    previous.block_sequence = sequence;
  }
  for (std::size_t i = 0; i < group.kinds.size(); i++) {
    if (!is_present(values[i], group.kinds[i])) continue;
    if (group.kinds[i] == ChannelKind::real) {
      out.real(values[i]);
    } else {
      const std::int64_t value = nearest_integer(values[i]);
      out.varint(zigzag(value - previous.values[i]));
      previous.values[i] = value;
    }
  }
}

bool Stream::event(std::string_view name, std::string_view detail, std::int64_t time_ns) noexcept {
  const std::int64_t elapsed_ns = time_ns - file_->start_ns();
  const auto head = [&](ByteCursor& out) {
    out.varint(time_step(elapsed_ns));
    out.varint(name.size());
    out.text(name);
  };
  return text_record(RecordKind::event, 2 * kVarintBytesMax + name.size(), head, detail, elapsed_ns);
}

bool Stream::definition(std::uint32_t group_id, std::string_view json, std::int64_t time_ns) noexcept {
  const auto head = [&](ByteCursor& out) { out.varint(group_id); };
  return text_record(RecordKind::group, kVarintBytesMax, head, json, time_ns - file_->start_ns());
}

/** A record that ends in text; where it does not fit into the block the rest follows in further records. */
template <class EncodeHead>
bool Stream::text_record(RecordKind kind, std::size_t head_bytes_max, const EncodeHead& encode_head,
                         std::string_view text, std::int64_t elapsed_ns) noexcept {
  std::uint8_t continues = 0;
  std::size_t head_bytes = head_bytes_max;
  do {
    if (!make_room(kRecordOverhead + head_bytes + std::min(text.size(), kKeptWholeBytes), elapsed_ns)) return false;
    const std::size_t piece = std::min(text.size(), room() - kRecordOverhead - head_bytes);
    const std::uint8_t continued = piece < text.size() ? kContinuedByNext : 0;
    ByteCursor out = begin(static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) | continues | continued));
    if (continues == 0) encode_head(out);
    out.text(text.substr(0, piece));
    commit(out);
    text.remove_prefix(piece);
    continues = kContinuesPrevious;
    head_bytes = 0;
  } while (!text.empty());
  return true;
}

/** Makes sure that so many bytes fit into the open block; false, and counted, when that cannot be. */
bool Stream::make_room(std::size_t bytes, std::int64_t elapsed_ns) noexcept {
  if (block_.bytes && bytes <= room()) return true;
  seal();
  if (file_->is_closed()) return false;
  const bool tried_lately = retry_at_ns_ != 0 && monotonic_now_ns() < retry_at_ns_;
  if (!tried_lately) {
    if (file_->take_block({type_, id_, next_sequence_, elapsed_ns}, block_) == 0) {
      next_sequence_++;
      used_ = 0;
      last_ns_ = elapsed_ns;
      retry_at_ns_ = 0;
      return true;
    }
    if (file_->is_closed()) return false;
    retry_at_ns_ = monotonic_now_ns() + kRetryAfterNs;
  }
  file_->count_dropped();
  return false;
}

void Stream::seal() noexcept {
  if (!block_.bytes) return;
  header()->payload_checksum = Crc32c::of(payload(), used_);
  header()->last_ns = last_ns_;
  header()->sealed.store(1, std::memory_order_release);
  block_.bytes.unmap();
  file_->block_sealed(block_.number);
}

std::uint64_t Stream::time_step(std::int64_t elapsed_ns) noexcept {
  const std::uint64_t step = zigzag(elapsed_ns - last_ns_);
  last_ns_ = elapsed_ns;
  return step;
}

/** The record is written as if its length took one byte, as nearly always. */
ByteCursor Stream::begin(std::uint8_t kind) noexcept {
  ByteCursor out(payload() + used_ + 1 + 2);
  out.byte(kind);
  return out;
}

void Stream::commit(const ByteCursor& end) noexcept {
  std::byte* const start = payload() + used_;
  const auto length = static_cast<std::size_t>(end.at() - (start + 3));
  const std::size_t length_bytes = varint_bytes(length);
  std::byte* const content = start + length_bytes + 2;
  if (length_bytes > 1) std::memmove(content, start + 3, length);

  const auto check = static_cast<std::uint16_t>(Crc32c::of(content, length));
  ByteCursor(start).varint(length);
  std::memcpy(start + length_bytes, &check, sizeof check);
  used_ += length_bytes + 2 + length;
  // Last of all: a reader, or whoever finds the file after a crash, trusts what `used` covers.
  header()->used.store(static_cast<std::uint32_t>(used_), std::memory_order_release);
}

}  // namespace crucible::recording
