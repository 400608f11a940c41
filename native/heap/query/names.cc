#include "heap/query/names.h"

#include <vector>

#include "heap/analysis/interfaces.h"

namespace crucible::heap {

namespace {

/** More than V8 writes of any text, so that only a forged file has names that are cut. */
constexpr std::size_t kNameShown = 4096;
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

}  // namespace

std::string Names::decode(Text text, std::uint8_t use) const {
  const std::string name = strings_ == nullptr ? graph_.strings.decode(text, kNameShown)
                                               : graph_.strings.decode_from(*strings_, text, kNameShown);
  return redaction_ == nullptr ? name : redaction_->clean(name, use);
}

std::string Names::bare(Edge edge) const {
  if (!graph_.has_text_name(edge)) return std::to_string(graph_.edges.name_or_index[edge]);
  return decode(graph_.name(edge), Redaction::use_of_name(graph_, edge));
}

std::string Names::bare(Node node) const { return decode(graph_.name(node), Redaction::use_of_name(graph_, node)); }

std::string Names::function(Text name) const { return decode(name, Redaction::kName); }

std::string Names::edge(Edge edge) const {
  const std::string name = bare(edge);
  switch (graph_.kind(edge)) {
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

std::string Names::closure(Node node) const {
  const Node bound = target(graph_, node, hash_text("bound_function"));
  const bool is_bound = bound != kNo<Node> && bound != node;
  const std::string name = bare(is_bound ? bound : node);
  return (is_bound ? "bound " : "") + (name.empty() ? "(anonymous)" : name) + "()";
}

/** The function whose variables these are: the one that V8 names in the scope's description, if it does. */
std::string Names::context(Node node) const {
  std::string variables;
  std::size_t count = 0;
  for (const Edge edge : graph_.edges_of(node)) {
    if (graph_.kind(edge) != EdgeKind::kContext) continue;
    if (count++ < kVariablesShown) variables += (variables.empty() ? "" : ", ") + bare(edge);
  }
  if (count > kVariablesShown) variables += ", …";
  std::string owner;
  const Node scope = target(graph_, node, hash_text("scope_info"));
  if (scope != kNo<Node>) {
    for (const Edge edge : graph_.edges_of(scope)) {
      if (graph_.kind(graph_.to(edge)) != NodeKind::kString || !graph_.is_named(edge, hash_text("function_name"))) continue;
      owner = " of " + function(graph_.name(graph_.to(edge))) + "()";
    }
  }
  return "variables" + owner + " (" + variables + ")";
}

std::string Names::plain_object(Node node) const {
  std::vector<Edge> properties;
  for (const Edge edge : graph_.edges_of(node))
    if (graph_.kind(edge) == EdgeKind::kProperty && !graph_.is_named(edge, hash_text("__proto__"))) properties.push_back(edge);
  std::string start = "{";
  std::string end = "}";
  std::size_t first = 0;
  std::size_t last = properties.size();
  for (bool from_end = false; first < last; from_end = !from_end) {
    const std::string name = bare(properties[from_end ? last - 1 : first]);
    const std::string label = redaction_ == nullptr ? label_of(name) : name;
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

std::string Names::content(Node string) const {
  const std::string text = graph_.kind(string) == NodeKind::kConsString
                               ? cons_string_text(graph_, string, kNameShown)
                               : graph_.strings.decode(graph_.name(string), kNameShown);
  return redaction_ == nullptr ? text : redaction_->content(text);
}

std::string Names::string(Node node) const {
  const std::string text = content(node);
  return redaction_ == nullptr || text.empty() ? quoted(text) : text;
}

std::string Names::node(Node node) const {
  switch (graph_.kind(node)) {
    case NodeKind::kString:
    case NodeKind::kSlicedString:
    case NodeKind::kConsString: return string(node);
    case NodeKind::kClosure: return closure(node);
    case NodeKind::kRegExp: return "/" + bare(node) + "/";
    case NodeKind::kArray: {
      const std::string name = bare(node);
      return name.empty() ? "(array)" : name;
    }
    case NodeKind::kObject:
      if (is_plain_object(graph_, node)) return plain_object(node);
      if (graph_.is_named(node, hash_text("system / Context"))) return context(node);
      return bare(node);
    default: {
      const std::string name = bare(node);
      return name.empty() ? "(" + graph_.meta.node_type_names[graph_.type(node)] + ")" : name;
    }
  }
}

std::string Names::class_name(const std::string& name, NodeKind kind) const {
  return redaction_ == nullptr ? name : redaction_->class_name(name, kind);
}

std::string Names::of(const ClassTable& classes, Class c) const {
  const ClassName& name = classes.name(c);
  return class_name(name.made.empty() ? graph_.strings.decode(name.text, kNameShown) : name.made, name.kind);
}

std::string cons_string_text(const HeapGraph& graph, Node node, std::size_t length_max) {
  std::string text;
  std::vector<Node> open{node};
  // A rope can be deeper than it is long: an empty piece costs a step, too.
  for (std::size_t steps = 0; !open.empty() && text.size() < length_max && steps < 16 * 1024; ++steps) {
    const Node next = open.back();
    open.pop_back();
    if (graph.kind(next) != NodeKind::kConsString) {
      text += graph.strings.decode(graph.name(next), length_max);
      continue;
    }
    const Node second = target(graph, next, hash_text("second"));
    const Node first = target(graph, next, hash_text("first"));
    if (second != kNo<Node>) open.push_back(second);
    if (first != kNo<Node>) open.push_back(first);
  }
  return text;
}

}  // namespace crucible::heap
