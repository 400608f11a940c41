#include "sample_run.h"

#include "layout.h"

namespace crucible::recording {

namespace {

constexpr std::uint8_t kMore = 0x80;
constexpr std::size_t kCheckBytes = 2;

/** Up to four bytes. False: there are more, or the record ends inside. */
inline bool read_difference(const std::uint8_t*& at, const std::uint8_t* end, double& difference) noexcept {
  std::uint32_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (shift > 21 || at == end) return false;
    const std::uint8_t byte = *at++;
    value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if (byte < kMore) break;
  }
  const auto half = static_cast<std::int32_t>(value >> 1);
  difference = (value & 1) != 0 ? -half - 1 : half;
  return true;
}

/** All differences of a record, or none of them. */
inline bool read_differences(const std::uint8_t* at, const std::uint8_t* end, double& step,
                             std::vector<double>& differences) noexcept {
  if (!read_difference(at, end, step)) return false;
  for (double& difference : differences)
    if (!read_difference(at, end, difference)) return false;
  return true;
}

inline void append(IntegerColumns& columns, double elapsed_ns, const std::vector<double>& differences) noexcept {
  columns.times_ms[columns.length] = elapsed_ns / 1e6;
  for (std::size_t i = 0; i < differences.size(); i++)
    columns.channels[i][columns.length] = columns.previous[i] += differences[i];
  columns.length++;
}

}  // namespace

int decode_sample_run(std::span<const std::byte> payload, RunPlace& place, IntegerGroups& groups) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
  const std::size_t end = payload.size();
  // A copy: the compiler cannot know that no column lies where the caller's is.
  RunPlace here = place;
  int full = kRunEnded;
  int group = -1;
  IntegerColumns* columns = nullptr;
  std::vector<double> differences;
  while (here.at + 1 + kCheckBytes < end) {
    const std::size_t length = bytes[here.at];
    const std::size_t first = here.at + 1 + kCheckBytes;
    const std::size_t behind = first + length;
    if (length < 2 || length >= kMore || behind > end) break;
    if (bytes[first] != static_cast<std::uint8_t>(RecordKind::sample) || bytes[first + 1] >= kMore) break;
    if (bytes[first + 1] != group) {
      group = bytes[first + 1];
      columns = groups.find(static_cast<std::uint8_t>(group));
      if (columns == nullptr) break;
      differences.resize(columns->channels.size());
    }
    double step = 0;
    if (!read_differences(bytes + first + 2, bytes + behind, step, differences)) break;
    if (columns->length == columns->capacity) {
      full = group;
      break;
    }
    here.elapsed_ns += step;
    if (here.elapsed_ns > here.latest_ns) here.latest_ns = here.elapsed_ns;
    append(*columns, here.elapsed_ns, differences);
    here.at = behind;
  }
  place = here;
  return full;
}

}  // namespace crucible::recording
