#pragma once

namespace crucible::heap {

/** Tells the processor that this address will be read soon: random access over large tables waits for memory otherwise. */
#if defined(__GNUC__) || defined(__clang__)
inline void will_read(const void* address) { __builtin_prefetch(address); }
#else
inline void will_read(const void*) {}
#endif

}  // namespace crucible::heap
