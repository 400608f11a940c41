#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/base/table.h"
#include "heap/graph/ephemerons.h"
#include "heap/graph/locations.h"
#include "heap/graph/trace_tree.h"
#include "heap/graph/snapshot_meta.h"
#include "heap/graph/string_table.h"

namespace crucible::heap {

/** DevTools' DOM link state, from the file and then propagated. */
enum class Detachedness : std::uint8_t { kUnknown, kAttached, kDetached };

/** What the file says about each node: 17 bytes, plus 4 when allocations were tracked. */
struct NodeColumns {
  /** Low six bits: type as numbered by the file; high two: Detachedness. */
  Table<Node, std::uint8_t> type_and_detachedness;
  Table<Node, std::uint32_t> name;
  WideTable<Node> id;
  WideTable<Node> self_bytes;
  /** One more entry than nodes: the edges of node n are first_edge[n] to first_edge[n + 1]. */
  Table<Node, std::uint32_t> first_edge;
  /** Empty unless the file has a trace tree. */
  Table<Node, std::uint32_t> trace_node;

  [[nodiscard]] std::size_t bytes_held() const {
    return type_and_detachedness.bytes_held() + name.bytes_held() + id.bytes_held() + self_bytes.bytes_held() +
           first_edge.bytes_held() + trace_node.bytes_held();
  }
};

/** What the file says about each edge: 7 bytes, or 9 in a heap of more than 16 million nodes. */
struct EdgeColumns {
  Table<Edge, std::uint8_t> type;
  NarrowTable<Edge> name_or_index;
  PackedTable<Edge, Node> to;

  [[nodiscard]] std::size_t bytes_held() const {
    return type.bytes_held() + name_or_index.bytes_held() + to.bytes_held();
  }
};

/** A snapshot as it was written, and nothing that was concluded from it. */
struct HeapGraph {
  SnapshotMeta meta;
  NodeColumns nodes;
  EdgeColumns edges;
  StringTable strings;
  Ephemerons ephemerons;
  Locations locations;
  TraceTree traces;
  std::vector<AllocationSample> samples;
  Node root{0};
  /** Sentences about what a salvaged file lacks; empty for a whole one. */
  std::vector<std::string> missing;

  [[nodiscard]] std::uint32_t node_count() const { return nodes.name.size(); }
  [[nodiscard]] std::uint32_t edge_count() const { return edges.type.size(); }
  [[nodiscard]] Range<Node> all_nodes() const { return {0, node_count()}; }
  [[nodiscard]] Range<Edge> edges_of(Node node) const {
    return {nodes.first_edge[node], nodes.first_edge[Node{node.value + 1}]};
  }
  [[nodiscard]] Node to(Edge edge) const { return edges.to[edge]; }
  /** The node that has this edge: a binary search, for questions and not for loops over all edges. */
  [[nodiscard]] Node from(Edge edge) const;

  [[nodiscard]] std::uint8_t type(Node node) const { return nodes.type_and_detachedness[node] & 0x3F; }
  [[nodiscard]] NodeKind kind(Node node) const { return meta.node_kinds[type(node)]; }
  [[nodiscard]] Detachedness detachedness(Node node) const {
    return static_cast<Detachedness>(nodes.type_and_detachedness[node] >> 6);
  }
  [[nodiscard]] EdgeKind kind(Edge edge) const { return meta.edge_kinds[edges.type[edge]]; }
  [[nodiscard]] Text name(Node node) const { return Text{nodes.name[node]}; }
  [[nodiscard]] bool has_text_name(Edge edge) const {
    const EdgeKind k = kind(edge);
    return k != EdgeKind::kElement && k != EdgeKind::kHidden;
  }
  /** Only for edges with a text name. */
  [[nodiscard]] Text name(Edge edge) const { return Text{edges.name_or_index[edge]}; }
  [[nodiscard]] bool is_named(Node node, std::uint64_t hash) const { return strings.is(name(node), hash); }
  [[nodiscard]] bool is_named(Edge edge, std::uint64_t hash) const {
    return has_text_name(edge) && strings.is(name(edge), hash);
  }
  /** The first edge of that kind and name, or kNo<Edge>. */
  [[nodiscard]] Edge find_edge(Node node, EdgeKind kind, std::uint64_t name_hash) const;
  /** The node with that id, or kNo<Node>. Looks at every node: about 1 ms per million. */
  [[nodiscard]] Node find_id(std::uint64_t id) const;
  [[nodiscard]] std::uint64_t total_self_bytes() const;
  /** DevTools: what hangs directly on the root and is no mere grouping of V8's. */
  [[nodiscard]] bool is_user_root(Node node) const;
  [[nodiscard]] bool has_user_roots() const;
};

}  // namespace crucible::heap
