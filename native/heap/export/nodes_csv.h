#pragma once

#include <string>

#include "heap/json/heap_source.h"

namespace crucible::heap {

/**
 * Writes all nodes, in the order of the file, one row each:
 *
 *   id,type,name,self_bytes,retained_bytes,dominator_id,distance
 *
 * `name` is V8's, always in quotes (RFC 4180), and is not changed for the sake
 * of spreadsheets that take `=1+1` for a formula; control characters stand as
 * \u000a. The root has no dominator_id, and what nothing reaches no distance.
 * Throws OUTPUT_UNWRITABLE, and then no file is there.
 */
void write_nodes_csv(const ReadHeap& heap, const std::string& path, Progress& progress);

}  // namespace crucible::heap
