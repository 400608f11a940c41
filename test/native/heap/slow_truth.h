#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "heap/graph/heap_graph.h"
#include "test/native/heap/heap_builder.h"

/**
 * The same questions answered by the shortest code that can be believed, for
 * graphs of a few hundred nodes. Written against the rules, not against the
 * implementation: nothing here is shared with it but the graph itself.
 */
namespace slow {

using crucible::heap::Edge;
using crucible::heap::HeapGraph;
using crucible::heap::Node;

/**
 * Any graph: weak and self edges, shortcuts, cycles, unreachable parts,
 * WeakMaps; for each fifth seed also what V8 never writes, edges to the root
 * and weak ones from it.
 */
[[nodiscard]] HeapBuilder random_heap(std::uint32_t seed, std::uint32_t nodes_max);

/** Whatever they lead to. */
[[nodiscard]] std::set<std::uint32_t> retaining_edges(const HeapGraph& graph);
/** Those of them that do not lead into the page from outside. */
[[nodiscard]] std::set<std::uint32_t> essential_edges(const HeapGraph& graph);
/** The dominator of each node, by taking away every other node in turn. */
[[nodiscard]] std::vector<std::uint32_t> dominators(const HeapGraph& graph);
/** From the dominators, by walking up from every node. */
[[nodiscard]] std::vector<std::uint64_t> retained(const std::vector<std::uint32_t>& dominator,
                                                  const std::vector<std::uint64_t>& sizes, std::uint32_t root);
/** Raw bytes that live on without the node: repeats until no ephemeron adds anything. */
[[nodiscard]] std::set<std::uint32_t> alive_without(const HeapGraph& graph, std::uint32_t gone);

}  // namespace slow
