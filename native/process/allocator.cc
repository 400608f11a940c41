#include "allocator.h"

#include <cstddef>

#if defined(__linux__)
#include <dlfcn.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#endif

namespace crucible::process {

#if defined(__linux__)

namespace {

/** glibc's struct mallinfo2, declared here so that older headers do. */
struct Mallinfo2 {
  std::size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

using MallinfoFunction = Mallinfo2 (*)();
using MallctlFunction = int (*)(const char*, void*, std::size_t*, void*, std::size_t);

template <class Function>
Function find(const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

std::optional<std::uint64_t> jemalloc_figure(MallctlFunction mallctl, const char* name) noexcept {
  std::size_t value = 0;
  std::size_t bytes = sizeof value;
  if (mallctl(name, &value, &bytes, nullptr, 0) != 0) return std::nullopt;
  return value;
}

std::optional<AllocatorFigures> read_jemalloc(MallctlFunction mallctl) noexcept {
  // jemalloc keeps its figures until it is told that a new epoch has begun.
  std::uint64_t epoch = 1;
  std::size_t bytes = sizeof epoch;
  if (mallctl("epoch", &epoch, &bytes, &epoch, bytes) != 0) return std::nullopt;
  const auto in_use = jemalloc_figure(mallctl, "stats.allocated");
  const auto held = jemalloc_figure(mallctl, "stats.resident");
  if (!in_use || !held) return std::nullopt;
  return AllocatorFigures{*in_use, *held};
}

std::optional<AllocatorFigures> read_glibc(MallinfoFunction mallinfo2) noexcept {
  const Mallinfo2 figures = mallinfo2();
  // All zero: another allocator serves malloc, and glibc's has nothing to tell.
  if (figures.arena + figures.hblkhd == 0) return std::nullopt;
  return AllocatorFigures{figures.uordblks + figures.hblkhd, figures.arena + figures.hblkhd};
}

}  // namespace

std::optional<AllocatorFigures> read_allocator() noexcept {
  static const auto mallctl = find<MallctlFunction>("mallctl");
  static const auto mallinfo2 = find<MallinfoFunction>("mallinfo2");
  if (mallctl != nullptr) return read_jemalloc(mallctl);
  if (mallinfo2 != nullptr) return read_glibc(mallinfo2);
  return std::nullopt;
}

#elif defined(__APPLE__)

/** Not yet run on macOS. */
std::optional<AllocatorFigures> read_allocator() noexcept {
  malloc_statistics_t figures{};
  malloc_zone_statistics(nullptr, &figures);
  if (figures.size_allocated == 0) return std::nullopt;
  return AllocatorFigures{figures.size_in_use, figures.size_allocated};
}

#else

std::optional<AllocatorFigures> read_allocator() noexcept { return std::nullopt; }

#endif

}  // namespace crucible::process
