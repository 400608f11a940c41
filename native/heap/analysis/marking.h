#pragma once

#include "heap/base/crew.h"
#include "heap/base/progress.h"
#include "heap/graph/heap_graph.h"
#include "heap/graph/retainers.h"

namespace crucible::heap {

/**
 * DevTools' page objects: everything that the globals reach without weak
 * edges, where the globals are the root's shortcuts and the document trees.
 */
[[nodiscard]] Bits<Node> mark_page_owned(const HeapGraph& graph, Progress& progress);

/**
 * DevTools' computeIsEssentialEdge: no WeakMap entry seen from its table, no
 * weak edge, no edge to itself, no shortcut except the root's, and nothing
 * that leads from V8's own objects to the program's.
 */
[[nodiscard]] EssentialEdges mark_essential(const HeapGraph& graph, const Bits<Node>& page_owned, const Crew& crew,
                                            Progress& progress);

/**
 * Spreads DOM link states: what an attached native node reaches is attached,
 * what only detached ones reach is detached. Does nothing in plain Node.js.
 */
void propagate_detachedness(HeapGraph& graph);

}  // namespace crucible::heap
