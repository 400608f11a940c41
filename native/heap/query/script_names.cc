#include "heap/query/script_names.h"

namespace crucible::heap {

namespace {

/** The script's node, under the names that V8 versions give the edge. */
Node script_of(const HeapGraph& graph, Node closure) {
  const Edge shared = graph.find_edge(closure, EdgeKind::kInternal, hash_text("shared"));
  if (shared == kNo<Edge>) return kNo<Node>;
  for (const std::uint64_t name : {hash_text("script"), hash_text("script_or_debug_info")}) {
    const Edge script = graph.find_edge(graph.to(shared), EdgeKind::kInternal, name);
    if (script != kNo<Edge> && graph.kind(graph.to(script)) == NodeKind::kCode) return graph.to(script);
  }
  return kNo<Node>;
}

}  // namespace

ScriptNames::ScriptNames(const HeapGraph& graph) {
  constexpr std::size_t kPathBytesMax = 4096;
  const auto add = [&](std::uint32_t script_id, Text name) {
    const auto [known, fresh] = name_of_.try_emplace(script_id);
    if (fresh) known->second = graph.strings.decode(name, kPathBytesMax);
  };
  for (const Locations::Row& row : graph.locations.rows()) {
    if (graph.kind(row.node) != NodeKind::kClosure || name_of_.contains(row.location.script_id)) continue;
    const Node script = script_of(graph, row.node);
    if (script != kNo<Node>) add(row.location.script_id, graph.name(script));
  }
  for (const TraceFunction& function : graph.traces.functions)
    if (function.location.script_id != 0) add(function.location.script_id, function.script_name);
}

std::string ScriptNames::of(std::uint32_t script_id) const {
  const auto found = name_of_.find(script_id);
  return found == name_of_.end() || found->second.empty() ? "script " + std::to_string(script_id) : found->second;
}

std::string ScriptNames::place(const Location& location) const {
  return of(location.script_id) + ':' + std::to_string(location.line + 1) + ':' + std::to_string(location.column + 1);
}

}  // namespace crucible::heap
