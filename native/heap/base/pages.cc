#include "heap/base/pages.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace crucible::heap {

namespace {

/** Below this a block comes from the allocator: a page of its own would be waste. */
constexpr std::size_t kOwnPagesBytes = 64 * 1024;
constexpr std::size_t kHugePageBytes = 2 * 1024 * 1024;

void* from_allocator(std::size_t bytes) {
  void* block = std::calloc(1, bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* resize_by_copy(void* block, std::size_t old_bytes, std::size_t new_bytes) {
  void* larger = take_pages(new_bytes);
  std::memcpy(larger, block, old_bytes < new_bytes ? old_bytes : new_bytes);
  give_back_pages(block, old_bytes);
  return larger;
}

}  // namespace

#if defined(__linux__)

namespace {

/**
 * A huge page takes 0.1 ms to come. On a machine that has to look for one, or
 * that gave its free memory back to a host, it takes many, and the small pages
 * that lie about come sooner. So the first one of every block is timed, until one is late.
 */
std::atomic<bool> huge_pages_come_fast{true};

void ask_for_huge_pages(void* block, std::size_t bytes) {
  constexpr std::chrono::microseconds kLate{1000};
  if (!huge_pages_come_fast.load(std::memory_order_relaxed)) return;
  if (madvise(block, bytes, MADV_HUGEPAGE) != 0) return;
  const auto inside = (reinterpret_cast<std::uintptr_t>(block) + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const auto start = std::chrono::steady_clock::now();
  *reinterpret_cast<volatile char*>(inside) = 0;
  if (std::chrono::steady_clock::now() - start < kLate) return;
  huge_pages_come_fast.store(false, std::memory_order_relaxed);
  madvise(block, bytes, MADV_NOHUGEPAGE);
}

}  // namespace

void* take_pages(std::size_t bytes) {
  if (bytes < kOwnPagesBytes) return from_allocator(bytes);
  void* block =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  if (bytes >= 2 * kHugePageBytes) ask_for_huge_pages(block, bytes);
  return block;
}

void* resize_pages(void* block, std::size_t old_bytes, std::size_t new_bytes) {
  if (old_bytes < kOwnPagesBytes || new_bytes < kOwnPagesBytes) return resize_by_copy(block, old_bytes, new_bytes);
  void* moved = mremap(block, old_bytes, new_bytes, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) throw std::bad_alloc();
  return moved;
}

void give_back_pages(void* block, std::size_t bytes) noexcept {
  if (bytes < kOwnPagesBytes) {
    std::free(block);
  } else {
    munmap(block, bytes);
  }
}

#else

void* take_pages(std::size_t bytes) { return from_allocator(bytes); }

void* resize_pages(void* block, std::size_t old_bytes, std::size_t new_bytes) {
  return resize_by_copy(block, old_bytes, new_bytes);
}

void give_back_pages(void* block, std::size_t) noexcept { std::free(block); }

#endif

}  // namespace crucible::heap
