#pragma once

#include <string>

#include "heap/graph/heap_graph.h"

namespace crucible::heap {

/** `.name`, `[5]`, `->variable`, `{internal}`, `[[weak]]`, as DevTools writes edges. */
[[nodiscard]] std::string edge_text(const HeapGraph& graph, Edge edge);

/** The bare name: `name`, `5`. */
[[nodiscard]] std::string edge_name(const HeapGraph& graph, Edge edge);

/**
 * What a person would call the node: `Widget`, `{id, name}`, `handler()`,
 * `bound handler()`, `variables of handler() (cache, limit)`, `"text"`.
 */
[[nodiscard]] std::string node_text(const HeapGraph& graph, Node node);

/** The text of a string that V8 keeps in pieces, at most `length_max` bytes and a little. */
[[nodiscard]] std::string cons_string_text(const HeapGraph& graph, Node node, std::size_t length_max = 1024);

/** Of a plain object: `{first, second, …, last}` of at most about 100 characters, as DevTools writes it. */
[[nodiscard]] std::string plain_object_text(const HeapGraph& graph, Node node);

}  // namespace crucible::heap
