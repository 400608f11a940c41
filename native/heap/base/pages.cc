#include "heap/base/pages.h"

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

void* take_pages(std::size_t bytes) {
  if (bytes < kOwnPagesBytes) return from_allocator(bytes);
  void* block =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
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
