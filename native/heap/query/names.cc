#include "heap/query/names.h"

#include <vector>

#include "heap/analysis/interfaces.h"

namespace crucible::heap {

namespace {

constexpr std::size_t kStringShown = 80;
constexpr std::size_t kVariablesShown = 4;

Node target(const HeapGraph& graph, Node node, std::uint64_t name) {
  const Edge edge = graph.find_edge(node, EdgeKind::kInternal, name);
  return edge == kNo<Edge> ? kNo<Node> : graph.to(edge);
}

std::string quoted(std::string text) {
  if (text.size() > kStringShown) {
    std::size_t end = kStringShown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  return '"' + text + '"';
}

std::string closure_text(const HeapGraph& graph, Node node) {
  const Node bound = target(graph, node, hash_text("bound_function"));
  if (bound != kNo<Node> && bound != node) {
    const std::string name = graph.strings.decode(graph.name(bound));
    return "bound " + (name.empty() ? "(anonymous)" : name) + "()";
  }
  const std::string name = graph.strings.decode(graph.name(node));
  return (name.empty() ? "(anonymous)" : name) + "()";
}

/** The function whose variables these are: the one that V8 names in the scope's description, if it does. */
std::string context_text(const HeapGraph& graph, Node node) {
  std::string variables;
  std::size_t count = 0;
  for (const Edge edge : graph.edges_of(node)) {
    if (graph.kind(edge) != EdgeKind::kContext) continue;
    if (count++ < kVariablesShown) variables += (variables.empty() ? "" : ", ") + edge_name(graph, edge);
  }
  if (count > kVariablesShown) variables += ", …";
  std::string owner;
  const Node scope = target(graph, node, hash_text("scope_info"));
  if (scope != kNo<Node>) {
    for (const Edge edge : graph.edges_of(scope)) {
      if (graph.kind(graph.to(edge)) != NodeKind::kString || !graph.is_named(edge, hash_text("function_name"))) continue;
      owner = " of " + graph.strings.decode(graph.name(graph.to(edge))) + "()";
    }
  }
  return "variables" + owner + " (" + variables + ")";
}

}  // namespace

std::string edge_name(const HeapGraph& graph, Edge edge) {
  if (!graph.has_text_name(edge)) return std::to_string(graph.edges.name_or_index[edge]);
  return graph.strings.decode(graph.name(edge));
}

std::string edge_text(const HeapGraph& graph, Edge edge) {
  const std::string name = edge_name(graph, edge);
  switch (graph.kind(edge)) {
    case EdgeKind::kContext: return "->" + name;
    case EdgeKind::kElement: return "[" + name + "]";
    case EdgeKind::kWeak: return "[[" + name + "]]";
    case EdgeKind::kProperty:
    case EdgeKind::kShortcut: return name.find(' ') == std::string::npos ? "." + name : "[\"" + name + "\"]";
    case EdgeKind::kInternal:
    case EdgeKind::kHidden: return "{" + name + "}";
    default: return "?" + name + "?";
  }
}

std::string cons_string_text(const HeapGraph& graph, Node node, std::size_t length_max) {
  std::string text;
  std::vector<Node> open{node};
  // A rope can be deeper than it is long: an empty piece costs a step, too.
  for (std::size_t steps = 0; !open.empty() && text.size() < length_max && steps < 16 * 1024; ++steps) {
    const Node next = open.back();
    open.pop_back();
    if (graph.kind(next) != NodeKind::kConsString) {
      text += graph.strings.decode(graph.name(next));
      continue;
    }
    const Node second = target(graph, next, hash_text("second"));
    const Node first = target(graph, next, hash_text("first"));
    if (second != kNo<Node>) open.push_back(second);
    if (first != kNo<Node>) open.push_back(first);
  }
  return text;
}

std::string plain_object_text(const HeapGraph& graph, Node node) {
  std::vector<Edge> properties;
  for (const Edge edge : graph.edges_of(node))
    if (graph.kind(edge) == EdgeKind::kProperty && !graph.is_named(edge, hash_text("__proto__"))) properties.push_back(edge);
  std::string start = "{";
  std::string end = "}";
  std::size_t first = 0;
  std::size_t last = properties.size();
  for (bool from_end = false; first < last; from_end = !from_end) {
    const std::string label = label_of(edge_name(graph, properties[from_end ? last - 1 : first]));
    if (start.size() > 1 && start.size() + end.size() + label.size() > 100) break;
    if (from_end) {
      --last;
      end = label + (end.size() > 1 ? ", " : "") + end;
    } else {
      ++first;
      start += (start.size() > 1 ? ", " : "") + label;
    }
  }
  if (first < last) start += ", …";
  if (end.size() > 1) start += ", ";
  return start + end;
}

std::string node_text(const HeapGraph& graph, Node node) {
  switch (graph.kind(node)) {
    case NodeKind::kString:
    case NodeKind::kSlicedString: return quoted(graph.strings.decode(graph.name(node)));
    case NodeKind::kConsString: return quoted(cons_string_text(graph, node, kStringShown * 2));
    case NodeKind::kClosure: return closure_text(graph, node);
    case NodeKind::kRegExp: return "/" + graph.strings.decode(graph.name(node)) + "/";
    case NodeKind::kArray: {
      const std::string name = graph.strings.decode(graph.name(node));
      return name.empty() ? "(array)" : name;
    }
    case NodeKind::kObject:
      if (is_plain_object(graph, node)) return plain_object_text(graph, node);
      if (graph.is_named(node, hash_text("system / Context"))) return context_text(graph, node);
      return graph.strings.decode(graph.name(node));
    default: {
      const std::string name = graph.strings.decode(graph.name(node));
      return name.empty() ? "(" + graph.meta.node_type_names[graph.type(node)] + ")" : name;
    }
  }
}

}  // namespace crucible::heap
