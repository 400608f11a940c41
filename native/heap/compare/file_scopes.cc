#include "heap/compare/file_scopes.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "heap/query/script_names.h"

namespace crucible::heap {

namespace {

constexpr std::uint64_t kContextName = hash_text("system / Context");

Node internal(const HeapGraph& graph, Node node, std::uint64_t name) {
  const Edge edge = graph.find_edge(node, EdgeKind::kInternal, name);
  return edge == kNo<Edge> ? kNo<Node> : graph.to(edge);
}

/** Scopes that no function's scope surrounds, with V8's description of each: calls of one function share it. */
std::vector<std::pair<Node, Node>> outermost_scopes(const HeapGraph& graph) {
  std::vector<std::pair<Node, Node>> found;
  for (const Node node : graph.all_nodes()) {
    if (!graph.is_named(node, kContextName)) continue;
    const Node around = internal(graph, node, hash_text("previous"));
    if (around != kNo<Node> && graph.is_named(around, kContextName)) continue;
    found.emplace_back(node, internal(graph, node, hash_text("scope_info")));
  }
  return found;
}

/** Any function that was made in the scope knows the script. */
std::optional<std::uint32_t> script_of(const Snapshot& snapshot, Node context) {
  const HeapGraph& graph = snapshot.graph;
  for (const Retainer retainer : snapshot.retainers.of(context)) {
    const Node from = snapshot.retainers.from(retainer);
    if (graph.kind(from) != NodeKind::kClosure) continue;
    if (const auto location = graph.locations.of(from)) return location->script_id;
  }
  return std::nullopt;
}

/** The last `count` parts of a path or URL: `lib/server.js`. */
std::string_view last_parts(std::string_view path, int count) {
  std::size_t start = path.size();
  while (count-- > 0 && start != 0 && start != std::string_view::npos) start = path.find_last_of("/\\", start - 1);
  return start == std::string_view::npos || path.empty() ? path : path.substr(start == 0 ? 0 : start + 1);
}

}  // namespace

std::vector<FileScope> find_file_scopes(const Snapshot& snapshot) {
  const HeapGraph& graph = snapshot.graph;
  const auto candidates = outermost_scopes(graph);
  std::unordered_map<std::uint32_t, std::uint32_t> count_of_description;
  for (const auto& [context, description] : candidates)
    if (description != kNo<Node>) ++count_of_description[description.value];
  const ScriptNames scripts(graph);
  std::vector<FileScope> scopes;
  for (const auto& [context, description] : candidates) {
    if (description == kNo<Node> || count_of_description[description.value] != 1) continue;
    const auto script = script_of(snapshot, context);
    if (!script || !scripts.has(*script)) continue;
    const std::string path = scripts.of(*script);
    const bool is_builtin = path.starts_with("node:");
    const std::string_view shown = is_builtin ? std::string_view(path) : last_parts(path, 1);
    scopes.push_back({context, std::string(shown), combine(hash_text("file"), hash_text(last_parts(path, 2))), is_builtin});
  }
  return scopes;
}

}  // namespace crucible::heap
