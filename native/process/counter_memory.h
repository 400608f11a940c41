#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

/**
 * The program's own counters, in memory that its JavaScript threads write to.
 * src/refcount/layout.ts draws it; this says the same in C++.
 */
namespace crucible::process {

inline constexpr std::int32_t kCounterMagic = 0x52435243;
inline constexpr std::int32_t kCounterVersion = 1;
inline constexpr std::size_t kFigures = 8;
inline constexpr std::size_t kCounterNameBytesMax = 112;
inline constexpr std::int32_t kSlotReady = 2;

struct CounterHeader {
  std::int32_t magic;
  std::int32_t version;
  std::int32_t slot_count;
  std::atomic<std::int32_t> slots_used;
  std::uint8_t reserved[48];
};
static_assert(sizeof(CounterHeader) == 64);

/** What one thread counts of one kind and name. Written without any lock, one figure at a time. */
struct CounterSlot {
  /** Stored last when a slot is filled in: what follows, up to the name, changes no more, but for the figures. */
  std::atomic<std::int32_t> state;
  std::atomic<std::int32_t> owner;
  std::int32_t kind;
  std::int32_t name_bytes;
  std::atomic<double> figures[kFigures];
  char name_text[kCounterNameBytesMax];

  [[nodiscard]] std::string_view name() const noexcept {
    const auto bytes = static_cast<std::size_t>(name_bytes < 0 ? 0 : name_bytes);
    return {name_text, bytes < kCounterNameBytesMax ? bytes : kCounterNameBytesMax};
  }
};
static_assert(sizeof(CounterSlot) == 192);
static_assert(offsetof(CounterSlot, figures) == 16);
static_assert(offsetof(CounterSlot, name_text) == 80);
static_assert(std::atomic<double>::is_always_lock_free);

/** The whole of it; belongs to JavaScript, which keeps it for as long as it is read here. */
class CounterMemory {
 public:
  /** @throws Failure USAGE when it is not the memory of counters of this version */
  CounterMemory(const std::byte* data, std::size_t bytes);

  /** Slots claimed so far; those that are not ready yet included. */
  [[nodiscard]] std::size_t slots_used() const noexcept;
  [[nodiscard]] const CounterSlot& slot(std::size_t index) const noexcept { return slots_[index]; }

 private:
  const CounterHeader* header_;
  const CounterSlot* slots_;
};

}  // namespace crucible::process
