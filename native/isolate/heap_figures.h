#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace v8 {
class Isolate;
}

/**
 * V8 and what it knows of one isolate: the only folder that includes <v8.h>,
 * built anew for each ABI of Node. C++17, because Node 20's headers are.
 */
namespace crucible::isolate {

/** Bytes of one isolate's heap. Only on the isolate's own thread; a fifth of a microsecond, however large the heap. */
struct HeapFigures {
  double used_bytes;
  double total_bytes;
  double external_bytes;
  double malloced_bytes;
  double limit_bytes;
  double native_context_count;
  double detached_context_count;
  double global_handles_bytes;
};

[[nodiscard]] HeapFigures read_heap_figures(v8::Isolate* isolate);

/** They stay the same for the isolate's life. */
[[nodiscard]] std::vector<std::string> heap_space_names(v8::Isolate* isolate);
/** @param used_and_committed_bytes two values a space */
void read_heap_spaces(v8::Isolate* isolate, double* used_and_committed_bytes, std::size_t spaces);

/** V8's low-memory notification: everything that can be let go of now, in some rounds. Blocks. */
void collect_garbage(v8::Isolate* isolate);

/** The isolate of the calling thread. */
[[nodiscard]] v8::Isolate* this_isolate();

/** What this was built for: NODE_MODULE_VERSION. */
[[nodiscard]] int built_for_abi() noexcept;

}  // namespace crucible::isolate
