#pragma once

#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/**
 * Spreads DOM link states: what an attached native node reaches is attached,
 * what only detached ones reach is detached. Does nothing in plain Node.js.
 */
void propagate_detachedness(HeapGraph& graph);

}  // namespace crucible::heap
