#include "counter_scanner.h"

#include <algorithm>
#include <array>
#include <new>
#include <span>
#include <string_view>

#include "../recording/failure.h"

namespace crucible::process {

namespace {

using recording::ChannelDefinition;
using recording::ChannelKind;

constexpr std::int64_t kRetryAfterNs = 1'000'000'000;

enum class Figure : std::uint8_t { held, waiting, values, created, leaked, abandoned, timed_out, longest_hold_ms };

struct FigureChannel {
  Figure figure;
  const char* suffix;
  const char* description;
};

/** Of one kind of counter: by the number in its slots, what is recorded of it. */
struct Kind {
  std::int32_t number;
  const char* name;
  std::span<const FigureChannel> channels;
};

constexpr FigureChannel kCounterChannels[] = {{Figure::held, "", "counter of the program"}};
constexpr FigureChannel kArcChannels[] = {
    {Figure::held, ".strong_count", "owners that have not let go, leaked ones included"},
    {Figure::waiting, ".weak_count", "weak references"},
    {Figure::values, ".values_count", "values that were not disposed of"},
    {Figure::created, ".created_count", "owners ever"},
    {Figure::leaked, ".leaked_count", "owners collected without having let go"},
};
constexpr FigureChannel kLockChannels[] = {
    {Figure::held, ".holders_count", "guards that were not released, leaked ones included"},
    {Figure::waiting, ".waiters_count", "attempts that wait"},
    {Figure::created, ".acquired_count", "guards ever"},
    {Figure::leaked, ".leaked_count", "guards collected without having been released"},
    {Figure::timed_out, ".timed_out_count", "attempts that gave up after their time"},
    {Figure::longest_hold_ms, ".longest_hold_ns", "longest time of a guard that was released"},
};
constexpr FigureChannel kResourceChannels[] = {
    {Figure::held, ".open_count", "resources that were not released, leaked ones included"},
    {Figure::created, ".created_count", "resources ever"},
    {Figure::leaked, ".leaked_count", "resources collected without having been released"},
};
constexpr Kind kKinds[] = {
    {1, "counter", kCounterChannels}, {2, "arc", kArcChannels},           {3, "mutex", kLockChannels},
    {4, "rwlock", kLockChannels},     {5, "resource", kResourceChannels},
};

const Kind* find_kind(std::int32_t number) noexcept {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](auto& kind) { return kind.number == number; });
  return found == std::end(kKinds) ? nullptr : found;
}

std::string unit_of(const Kind& kind, std::string_view name, Figure figure) {
  if (figure == Figure::longest_hold_ms) return "ns";
  const bool is_in_bytes = kind.number == 1 && (name.ends_with("bytes") || name.ends_with("Bytes"));
  return is_in_bytes ? "bytes" : "count";
}

}  // namespace

struct CounterScanner::Row {
  const Kind* kind;
  std::string name;
  std::vector<std::uint32_t> slots;
  /** Absent until there is room for it in the recording. */
  std::shared_ptr<const recording::Group> group;
  std::int64_t define_at_ns = 0;
  /** The recording has a channel of that name already. */
  bool is_refused = false;
  std::vector<double> values;
  std::vector<double> written;
  std::int64_t written_ns = 0;
};

CounterMemory::CounterMemory(const std::byte* data, std::size_t bytes)
    : header_(reinterpret_cast<const CounterHeader*>(data)),
      slots_(reinterpret_cast<const CounterSlot*>(data + sizeof(CounterHeader))) {
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(data) % alignof(CounterSlot) == 0;
  if (is_aligned && bytes >= sizeof(CounterHeader) && header_->magic == kCounterMagic &&
      header_->version == kCounterVersion && header_->slot_count >= 0 &&
      bytes - sizeof(CounterHeader) >= static_cast<std::size_t>(header_->slot_count) * sizeof(CounterSlot))
    return;
  throw Failure("USAGE", {"the counters cannot be recorded", "this is not the memory of counters of this version",
                          "give what registryMemory() of crucible-memory/refcount returns"});
}

std::size_t CounterMemory::slots_used() const noexcept {
  return static_cast<std::size_t>(std::clamp(header_->slots_used.load(std::memory_order_acquire), 0, header_->slot_count));
}

CounterScanner::CounterScanner(std::shared_ptr<recording::RecordingWriter> writer, CounterMemory memory,
                               double interval_ms)
    : writer_(std::move(writer)),
      memory_(memory),
      interval_ns_(static_cast<std::int64_t>(interval_ms * 1e6)),
      stream_(writer_->open_stream()) {}

CounterScanner::~CounterScanner() = default;

void CounterScanner::scan(std::int64_t time_ns) noexcept {
  if (time_ns < next_scan_ns_) return;
  next_scan_ns_ = time_ns + interval_ns_;
  scan_now(time_ns, false);
}

void CounterScanner::finish(std::int64_t time_ns) noexcept { scan_now(time_ns, true); }

void CounterScanner::scan_now(std::int64_t time_ns, bool writes_all) {
  try {
    find_new_slots();
    for (const auto& row : rows_) {
      if (!row->group && !define(*row, time_ns)) continue;
      read(*row);
      write(*row, time_ns, writes_all);
    }
    last_scan_ns_ = time_ns;
  } catch (const std::bad_alloc&) {
    // No memory for another counter now; those that are known are recorded on.
  }
}

void CounterScanner::find_new_slots() {
  for (const auto used = static_cast<std::uint32_t>(memory_.slots_used()); slots_seen_ < used; slots_seen_++)
    unready_slots_.push_back(slots_seen_);
  if (unready_slots_.empty()) return;
  std::erase_if(unready_slots_, [this](std::uint32_t index) {
    if (memory_.slot(index).state.load(std::memory_order_acquire) != kSlotReady) return false;
    add_slot(index);
    return true;
  });
}

/** Slots of the same kind and name, one a thread, are one row. */
void CounterScanner::add_slot(std::uint32_t index) {
  const CounterSlot& slot = memory_.slot(index);
  const Kind* const kind = find_kind(slot.kind);
  if (kind == nullptr) return;
  auto row = std::find_if(rows_.begin(), rows_.end(),
                          [&](const auto& known) { return known->kind == kind && known->name == slot.name(); });
  if (row == rows_.end()) {
    rows_.push_back(std::make_unique<Row>());
    row = rows_.end() - 1;
    (*row)->kind = kind;
    (*row)->name = slot.name();
    (*row)->values.resize(kind->channels.size());
  }
  (*row)->slots.push_back(index);
}

/** @returns whether the row can be written */
bool CounterScanner::define(Row& row, std::int64_t time_ns) {
  if (row.is_refused || time_ns < row.define_at_ns) return false;
  const std::string prefix = std::string(row.kind->name) + "." + row.name;
  std::vector<ChannelDefinition> channels;
  for (const auto& [figure, suffix, description] : row.kind->channels)
    channels.push_back({prefix + suffix, unit_of(*row.kind, row.name, figure), ChannelKind::integer, description});
  try {
    row.group = writer_->define_group(prefix, channels);
    stream_->attach(*row.group);
    return true;
  } catch (const Failure& failure) {
    row.is_refused = std::string_view(failure.code()) == "USAGE";
    row.define_at_ns = time_ns + kRetryAfterNs;
    return false;
  }
}

void CounterScanner::read(Row& row) const {
  for (std::size_t i = 0; i < row.values.size(); i++) {
    const auto figure = row.kind->channels[i].figure;
    double total = 0;
    for (const std::uint32_t index : row.slots) {
      const double value =
          memory_.slot(index).figures[static_cast<std::size_t>(figure)].load(std::memory_order_relaxed);
      total = figure == Figure::longest_hold_ms ? std::max(total, value) : total + value;
    }
    row.values[i] = figure == Figure::longest_hold_ms ? total * 1e6 : total;
  }
}

void CounterScanner::write(Row& row, std::int64_t time_ns, bool is_always) {
  const bool is_new = row.written.empty();
  if (!is_always && !is_new && row.values == row.written) return;
  if (!is_new && row.written_ns < last_scan_ns_ && row.values != row.written)
    stream_->sample(*row.group, row.written, last_scan_ns_);
  if (!stream_->sample(*row.group, row.values, time_ns)) return;
  row.written = row.values;
  row.written_ns = time_ns;
}

}  // namespace crucible::process
