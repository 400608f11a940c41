#include "reduction.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "checksum.h"
#include "encoding.h"
#include "layout.h"

namespace crucible::recording {

namespace {

/** Expected bytes of a summary and of each of its channels: only where to begin to look. */
constexpr std::uint64_t kSummaryBytes = 8;
constexpr std::uint64_t kChannelBytes = 6;
/** The longest record fits into a block: length, check, head, three times, and a channel's count and values. */
constexpr std::size_t kChannelBytesMax = 5 * kVarintBytesMax;

bool is_first_piece(std::uint8_t head) { return (head & (kContinuedByNext | kContinuesPrevious)) == kContinuedByNext; }

/** Before anything is written: how much there is, and whether a long event goes on behind the blocks. */
class Survey final : public RecordListener {
 public:
  explicit Survey(std::size_t groups) : samples_by_group(groups) {}

  void samples(const Group& group, std::int64_t, std::int64_t, std::span<const ChannelSummary>) override {
    samples_by_group[group.id]++;
  }

  void event_piece(std::uint8_t head, std::int64_t, std::span<const std::byte>) override {
    if (is_first_piece(head)) unfinished_piece = pieces;
    if ((head & kContinuedByNext) == 0) unfinished_piece.reset();
    pieces++;
  }

  std::vector<std::uint64_t> samples_by_group;
  std::uint64_t pieces = 0;
  /** Number of the first piece of an event whose end is in a later block: it has to be written last. */
  std::optional<std::uint64_t> unfinished_piece;
};

/** Samples of one group that become one summary. */
struct Bucket {
  struct Channel {
    std::uint64_t count;
    double sum;
    double min;
    double max;
    double last;
  };
  std::uint64_t samples = 0;
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
  std::vector<Channel> channels;

  void add(std::int64_t from_ns, std::int64_t to_ns, std::span<const ChannelSummary> added) {
    if (samples == 0) {
      first_ns = from_ns;
      last_ns = to_ns;
      channels.assign(added.size(), Channel{});
    }
    samples++;
    first_ns = std::min(first_ns, from_ns);
    last_ns = std::max(last_ns, to_ns);
    for (std::size_t i = 0; i < added.size(); i++) add(channels[i], added[i]);
  }

 private:
  static void add(Channel& channel, const ChannelSummary& added) {
    if (added.count == 0) return;
    if (channel.count == 0) channel = {0, 0, added.min, added.max, added.last};
    channel.count += added.count;
    channel.sum += added.mean * static_cast<double>(added.count);
    if (added.min < channel.min) channel.min = added.min;
    if (added.max > channel.max) channel.max = added.max;
    channel.last = added.last;
  }
};

/** Writes summaries as long as there is room, and counts the bytes of all of them. */
class SummaryWriter final : public RecordListener {
 public:
  SummaryWriter(const GroupTable& groups, const std::vector<std::uint64_t>& samples_by_summary, const Survey& survey,
                std::int64_t base_ns, std::byte* out)
      : bytes_by_group(groups.size()), groups_(groups), samples_by_summary_(samples_by_summary), survey_(survey),
        out_(out), last_ns_(base_ns), buckets_(groups.size()), previous_(groups.size()) {}

  void samples(const Group& group, std::int64_t first_ns, std::int64_t last_ns,
               std::span<const ChannelSummary> channels) override {
    Bucket& bucket = buckets_[group.id];
    bucket.add(first_ns, last_ns, channels);
    if (bucket.samples == samples_by_summary_[group.id]) write(group, bucket);
  }

  void event_piece(std::uint8_t head, std::int64_t time_ns, std::span<const std::byte> body) override {
    if (survey_.unfinished_piece == pieces_++) flush();
    content_.resize(1 + kVarintBytesMax + body.size());
    ByteCursor to(content_.data());
    to.byte(head);
    if ((head & kContinuesPrevious) == 0) time(to, time_ns);
    to.text({reinterpret_cast<const char*>(body.data()), body.size()});
    commit(to);
  }

  void flush() {
    for (std::size_t id = 0; id < buckets_.size(); id++)
      if (buckets_[id].samples > 0) write(*groups_[id], buckets_[id]);
  }

  std::size_t bytes = 0;
  std::vector<std::size_t> bytes_by_group;

 private:
  void write(const Group& group, Bucket& bucket) {
    content_.resize(1 + 3 * kVarintBytesMax + bucket.channels.size() * kChannelBytesMax);
    ByteCursor to(content_.data());
    to.byte(static_cast<std::uint8_t>(RecordKind::summary));
    to.varint(group.id);
    time(to, bucket.last_ns);
    to.varint(static_cast<std::uint64_t>(bucket.last_ns - bucket.first_ns));
    auto& previous = previous_[group.id];
    previous.resize(group.kinds.size());
    for (std::size_t i = 0; i < bucket.channels.size(); i++) {
      const Bucket::Channel& channel = bucket.channels[i];
      to.varint(channel.count);
      if (channel.count == 0) continue;
      value(to, group.kinds[i], channel.min, previous[i]);
      if (channel.count == 1) continue;
      std::int64_t at_min = previous[i];
      value(to, group.kinds[i], channel.max, at_min);
      const double mean = channel.sum / static_cast<double>(channel.count);
      to.real(std::isnan(mean) ? std::numeric_limits<double>::quiet_NaN() : mean);
      value(to, group.kinds[i], channel.last, previous[i]);
    }
    const std::size_t before = bytes;
    commit(to);
    bytes_by_group[group.id] += bytes - before;
    bucket.samples = 0;
  }

  void time(ByteCursor& to, std::int64_t time_ns) {
    to.varint(zigzag(time_ns - last_ns_));
    last_ns_ = time_ns;
  }

  static void value(ByteCursor& to, ChannelKind kind, double value, std::int64_t& previous) {
    if (kind == ChannelKind::real) return to.real(value);
    const auto integer = static_cast<std::int64_t>(value);
    to.varint(zigzag(integer - previous));
    previous = integer;
  }

  void commit(const ByteCursor& end) {
    const auto length = static_cast<std::size_t>(end.at() - content_.data());
    const std::size_t size = varint_bytes(length) + 2 + length;
    if (bytes + size <= kPayloadBytes) {
      ByteCursor to(out_ + bytes);
      to.varint(length);
      const auto check = static_cast<std::uint16_t>(Crc32c::of(content_.data(), length));
      std::memcpy(to.at(), &check, sizeof check);
      std::memcpy(to.at() + sizeof check, content_.data(), length);
    }
    bytes += size;
  }

  const GroupTable& groups_;
  const std::vector<std::uint64_t>& samples_by_summary_;
  const Survey& survey_;
  std::byte* out_;
  std::int64_t last_ns_;
  std::vector<Bucket> buckets_;
  std::vector<std::vector<std::int64_t>> previous_;
  std::uint64_t pieces_ = 0;
  std::vector<std::byte> content_;
};

/** The first group that has most, of those that can still be summarised further. */
std::optional<std::size_t> largest(const std::vector<std::uint64_t>& sizes, const Survey& survey,
                                   const std::vector<std::uint64_t>& samples_by_summary) {
  std::optional<std::size_t> found;
  for (std::size_t id = 0; id < sizes.size(); id++)
    if (samples_by_summary[id] < survey.samples_by_group[id] && (!found || sizes[id] > sizes[*found])) found = id;
  return found;
}

/** Where to begin: with what would probably fit. */
std::vector<std::uint64_t> first_guess(const Survey& survey, const GroupTable& groups) {
  std::vector<std::uint64_t> samples_by_summary(groups.size(), 1);
  std::vector<std::uint64_t> sizes(groups.size());
  for (;;) {
    std::uint64_t all = 0;
    for (std::size_t id = 0; id < groups.size(); id++) {
      const std::uint64_t samples = survey.samples_by_group[id];
      if (samples == 0) continue;
      const std::uint64_t summaries = (samples + samples_by_summary[id] - 1) / samples_by_summary[id];
      sizes[id] = summaries * (kSummaryBytes + kChannelBytes * groups[id]->kinds.size());
      all += sizes[id];
    }
    const auto most = largest(sizes, survey, samples_by_summary);
    if (all <= kPayloadBytes || !most) return samples_by_summary;
    samples_by_summary[*most] *= 2;
  }
}

}  // namespace

std::optional<std::size_t> reduce_blocks(std::span<const BlockView> blocks, const GroupTable& groups,
                                         std::byte* out) {
  Survey survey(groups.size());
  for (const BlockView& block : blocks) read_records(block, groups, survey);
  auto samples_by_summary = first_guess(survey, groups);
  for (;;) {
    SummaryWriter writer(groups, samples_by_summary, survey, blocks.front().base_ns, out);
    for (const BlockView& block : blocks) read_records(block, groups, writer);
    writer.flush();
    if (writer.bytes <= kPayloadBytes) return writer.bytes;
    const auto most =
        largest({writer.bytes_by_group.begin(), writer.bytes_by_group.end()}, survey, samples_by_summary);
    if (!most) return std::nullopt;
    samples_by_summary[*most] *= 2;
  }
}

}  // namespace crucible::recording
