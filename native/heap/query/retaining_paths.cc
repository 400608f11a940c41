#include "heap/query/retaining_paths.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "heap/query/names.h"

namespace crucible::heap {

namespace {

/** Lower is what a person recognises sooner. */
int rank(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::kProperty:
    case EdgeKind::kContext:
    case EdgeKind::kElement: return 0;
    case EdgeKind::kInternal: return 1;
    case EdgeKind::kHidden:
    case EdgeKind::kOther: return 2;
    case EdgeKind::kShortcut: return 3;
    case EdgeKind::kWeak: return 4;
  }
  return 4;
}

constexpr int kRetainsNothing = 4;

Edge best_edge(const HeapGraph& graph, Node from, Node to) {
  Edge best = kNo<Edge>;
  int best_rank = kRetainsNothing;
  for (const Edge edge : graph.edges_of(from)) {
    if (graph.to(edge) != to || rank(graph.kind(edge)) >= best_rank) continue;
    best = edge;
    best_rank = rank(graph.kind(edge));
    if (best_rank == 0) break;
  }
  return best;
}

struct Builder {
  std::uint64_t objects = 0;
  std::uint64_t owned_bytes = 0;
  std::map<std::pair<std::string, std::uint32_t>, Builder> children;
};

std::string merged_edge_text(const HeapGraph& graph, Edge edge) {
  if (graph.kind(edge) == EdgeKind::kElement) return "[x]";
  if (!graph.has_text_name(edge)) return "{x}";
  const Names names(graph);
  const std::string name = names.bare(edge);
  const bool slot = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  if (graph.kind(edge) == EdgeKind::kInternal && (slot || graph.ephemerons.of(graph.name(edge)) != nullptr)) return "{x}";
  return names.edge(edge);
}

MergedPath finish(const std::pair<std::string, std::uint32_t>& key, const Builder& from) {
  MergedPath path{key.first, Class{key.second}, from.objects, from.owned_bytes, {}};
  for (const auto& [child_key, child] : from.children) path.children.push_back(finish(child_key, child));
  std::stable_sort(path.children.begin(), path.children.end(),
                   [](const MergedPath& a, const MergedPath& b) { return a.objects > b.objects; });
  return path;
}

/** Beyond this a merged tree says nothing to a reader, and recursion must end somewhere. */
constexpr std::size_t kMergedDepthMax = 1000;

}  // namespace

std::vector<Edge> edges_between(const HeapGraph& graph, Node from, Node to) {
  std::vector<Edge> edges;
  for (const Edge edge : graph.edges_of(from))
    if (graph.to(edge) == to) edges.push_back(edge);
  return edges;
}

PathStep RetainingPaths::find_step(Node node) const {
  const HeapGraph& graph = snapshot_.graph;
  const PathStep none{kNo<Node>, kNo<Edge>, node};
  const std::int32_t distance = snapshot_.distance[node];
  if (node == graph.root || distance == kNoDistance) return none;
  if (distance == 1) return {graph.root, best_edge(graph, graph.root, node), node};
  PathStep best = none;
  std::int32_t best_distance = distance;
  int best_rank = kRetainsNothing;
  for (const Retainer retainer : snapshot_.retainers.of(node)) {
    const Node from = snapshot_.retainers.from(retainer);
    const std::int32_t from_distance = snapshot_.distance[from];
    // Among equally near retainers the one with the better name; a nearer one always.
    if (from == best.from || from_distance == kNoDistance || from_distance >= distance) continue;
    if (best.edge != kNo<Edge> && from_distance != distance - 1 && from_distance >= best_distance) continue;
    const Edge edge = best_edge(graph, from, node);
    if (edge == kNo<Edge>) continue;
    const int edge_rank = rank(graph.kind(edge));
    const bool on_level = from_distance == distance - 1;
    const bool best_on_level = best.edge != kNo<Edge> && best_distance == distance - 1;
    if (best_on_level && (!on_level || edge_rank >= best_rank)) continue;
    best = {from, edge, node};
    best_distance = from_distance;
    best_rank = edge_rank;
    if (on_level && best_rank == 0) break;
  }
  if (best.edge != kNo<Edge>) return best;
  // The root's own distance is far beyond those of its children if a user root refers back to it.
  return {graph.root, best_edge(graph, graph.root, node), node};
}

PathStep RetainingPaths::step_to(Node node) {
  const auto [known, fresh] = known_.try_emplace(node.value, PathStep{});
  if (fresh) known->second = find_step(node);
  return known->second;
}

RetainingPath RetainingPaths::shortest(Node node) {
  RetainingPath path;
  // Distances fall with every step, so this ends.
  for (PathStep step = step_to(node); step.edge != kNo<Edge>; step = step_to(step.from)) path.push_back(step);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<RetainingPath> RetainingPaths::distinct(Node node, std::size_t paths_max,
                                                    std::size_t looked_at_max) const {
  std::vector<RetainingPath> paths;
  std::unordered_set<std::uint32_t> taken;
  while (paths.size() < paths_max && looked_at_max != 0) {
    RetainingPath path = path_around(taken, node, looked_at_max);
    if (path.empty()) break;
    // The node itself only when the root holds it directly: that way is taken then, and others are not.
    for (const PathStep& step : path)
      if (step.to != node || path.size() == 1) taken.insert(step.to.value);
    paths.push_back(std::move(path));
  }
  return paths;
}

RetainingPath RetainingPaths::path_around(const std::unordered_set<std::uint32_t>& taken, Node node,
                                          std::size_t& looked_at_max) const {
  const HeapGraph& graph = snapshot_.graph;
  // For each object met on the way up: the step down from it.
  std::unordered_map<std::uint32_t, PathStep> step_from;
  std::vector<Node> open{node};
  step_from.emplace(node.value, PathStep{node, kNo<Edge>, node});
  for (std::size_t at = 0; at < open.size() && looked_at_max != 0; ++at, --looked_at_max) {
    const Node here = open[at];
    for (const Retainer retainer : snapshot_.retainers.of(here)) {
      const Node from = snapshot_.retainers.from(retainer);
      if (snapshot_.distance[from] == kNoDistance || taken.contains(from.value) || step_from.contains(from.value)) continue;
      if (from == graph.root && here == node && taken.contains(node.value)) continue;
      const Edge edge = best_edge(graph, from, here);
      if (edge == kNo<Edge> || (graph.kind(edge) == EdgeKind::kShortcut && from != graph.root)) continue;
      step_from.emplace(from.value, PathStep{from, edge, here});
      if (from != graph.root) {
        open.push_back(from);
        continue;
      }
      RetainingPath path{step_from.at(from.value)};
      while (path.back().to != node) path.push_back(step_from.at(path.back().to.value));
      return path;
    }
  }
  return {};
}

MergedPath merge_paths(const Snapshot& snapshot, std::span<const Node> nodes, std::size_t sample_max) {
  RetainingPaths paths(snapshot);
  Builder root;
  const std::size_t samples = std::min(nodes.size(), sample_max);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const Node node = nodes[sample * nodes.size() / samples];
    const std::uint64_t bytes = snapshot.owned_bytes[node];
    Builder* at = &root;
    ++at->objects;
    at->owned_bytes += bytes;
    std::size_t depth = 0;
    for (const PathStep& step : paths.shortest(node)) {
      if (++depth > kMergedDepthMax) break;
      at = &at->children[{merged_edge_text(snapshot.graph, step.edge), snapshot.classes.of(step.to).value}];
      ++at->objects;
      at->owned_bytes += bytes;
    }
  }
  return finish({"", snapshot.classes.of(snapshot.graph.root).value}, root);
}

}  // namespace crucible::heap
