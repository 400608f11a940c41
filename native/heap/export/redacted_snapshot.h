#pragma once

#include <string>

#include "heap/json/heap_source.h"

namespace crucible::heap {

/**
 * Writes the snapshot again with the contents of its strings replaced, as
 * Redaction has it: ids, sizes and references are the same bytes, and DevTools
 * reads the file like the original. Names in WeakMap entries keep their ids.
 *
 * V8 writes each text once: one that is both a string's content and a name
 * that may stay is kept.
 *
 * @param original gives the bytes of the heap once more; they are checked
 *   against what was read, so that nothing of another file gets through
 * Throws OUTPUT_UNWRITABLE, SNAPSHOT_TRUNCATED for a heap that was salvaged,
 * SNAPSHOT_UNREADABLE; then no file is there.
 */
void write_redacted_snapshot(const ReadHeap& heap, HeapSource original, const std::string& path, Progress& progress);

}  // namespace crucible::heap
