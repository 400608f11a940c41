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

/** Of a path or URL, with either kind of slash. */
std::string_view last_name(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
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
    const std::string file(is_builtin ? std::string_view(path) : last_name(path));
    scopes.push_back({context, file, combine(hash_text("file"), hash_text(file)), is_builtin});
  }
  return scopes;
}

}  // namespace crucible::heap
