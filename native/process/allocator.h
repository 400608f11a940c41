#pragma once

#include <cstdint>
#include <optional>

namespace crucible::process {

struct AllocatorFigures {
  /** Handed out and not freed (glibc counts what its per-thread caches keep as in use). */
  std::uint64_t in_use_bytes;
  /** Taken from the system; what exceeds in_use_bytes is free inside the allocator, and not all of it resident. */
  std::uint64_t held_bytes;
};

/**
 * The figures of the malloc that is really in use: jemalloc's where it is
 * loaded, else glibc's (2.33 or newer), else macOS's zones. Nothing elsewhere,
 * and nothing when another allocator has taken malloc over.
 *
 * Takes microseconds, up to a millisecond with very many arenas and free
 * chunks. From any thread.
 */
[[nodiscard]] std::optional<AllocatorFigures> read_allocator() noexcept;

}  // namespace crucible::process
