#pragma once

#include <cstddef>

namespace crucible::heap {

/**
 * Memory for the large columns, taken from the system and given back to it at
 * once: a phase that ends leaves nothing behind in an allocator's free lists,
 * and pages that were reserved but never written cost nothing.
 * Contents start as zeros. Throws std::bad_alloc.
 */
[[nodiscard]] void* take_pages(std::size_t bytes);
/** Keeps the contents; moves page tables rather than bytes where the system can. */
[[nodiscard]] void* resize_pages(void* block, std::size_t old_bytes, std::size_t new_bytes);
void give_back_pages(void* block, std::size_t bytes) noexcept;

}  // namespace crucible::heap
