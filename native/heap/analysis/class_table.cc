#include "heap/analysis/class_table.h"

namespace crucible::heap {

namespace {

std::uint64_t key_of(const ClassName& name) {
  if (!name.location) return name.name_hash;
  const Location& at = *name.location;
  return combine(combine(name.name_hash, at.script_id + 1ull), combine(at.line, at.column));
}

/** Gives every node its class; the numbers are wide until it is known how many there are. */
class Classifier {
 public:
  Classifier(const HeapGraph& graph, const std::vector<Interface>& interfaces, std::vector<ClassName>& names)
      : graph_(graph),
        interfaces_(interfaces),
        matcher_(interfaces),
        names_(names),
        by_text_(std::size_t{graph.strings.size()} + 1, kNone),
        by_type_(64, kNone) {}

  std::uint32_t classify(Node node) {
    const Location* location = location_of(node);
    switch (graph_.kind(node)) {
      case NodeKind::kObject: {
        const std::uint32_t plain = is_plain_object(graph_, node) ? interface_of(node) : kNone;
        if (plain != kNone) return with_name(interface_name(plain), location);
        if (location != nullptr) return with_name(name_of(node), location);
        return by_name(node);
      }
      case NodeKind::kNative: return by_name(node);
      default: return by_type(node);
    }
  }

 private:
  /** Nodes come in order, and so do the locations. */
  const Location* location_of(Node node) {
    const auto& rows = graph_.locations.rows();
    while (next_location_ < rows.size() && rows[next_location_].node < node) ++next_location_;
    const Location* found = nullptr;
    while (next_location_ < rows.size() && rows[next_location_].node == node) found = &rows[next_location_++].location;
    return found;
  }

  std::uint32_t by_name(Node node) {
    const Text text = graph_.name(node);
    const bool detached = graph_.detachedness(node) == Detachedness::kDetached && graph_.kind(node) == NodeKind::kNative;
    if (detached || text.value >= graph_.strings.size()) return with_name(name_of(node), nullptr);
    std::uint32_t& known = by_text_[text];
    if (known == kNone) known = with_name(name_of(node), nullptr);
    return known;
  }

  std::uint32_t by_type(Node node) {
    std::uint32_t& known = by_type_[graph_.type(node)];
    if (known != kNone) return known;
    ClassName name;
    name.kind = graph_.kind(node);
    switch (name.kind) {
      case NodeKind::kHidden: name.made = "(system)"; break;
      case NodeKind::kCode: name.made = "(compiled code)"; break;
      case NodeKind::kClosure: name.made = "Function"; break;
      case NodeKind::kRegExp: name.made = "RegExp"; break;
      default: name.made = "(" + graph_.meta.node_type_names[graph_.type(node)] + ")";
    }
    name.name_hash = hash_text(name.made);
    return known = with_name(std::move(name), nullptr);
  }

  ClassName name_of(Node node) const {
    ClassName name;
    name.kind = graph_.kind(node);
    name.text = graph_.name(node);
    name.name_hash = graph_.strings.hash(name.text);
    const bool detached = graph_.detachedness(node) == Detachedness::kDetached && name.kind == NodeKind::kNative;
    if (!detached && !graph_.strings.is_markup(name.text)) return name;
    name.made = (detached ? "Detached " : "") + graph_.strings.decode(name.text);
    const std::size_t tag = name.made.starts_with("Detached <") ? 9 : 0;
    const std::size_t space = name.made.find(' ', tag);
    // <div id="a"> is a <div>.
    if (name.made.size() > tag && name.made[tag] == '<' && space != std::string::npos)
      name.made = name.made.substr(0, space) + ">";
    name.name_hash = hash_text(name.made);
    return name;
  }

  ClassName interface_name(std::uint32_t interface) const {
    ClassName name;
    name.kind = NodeKind::kObject;
    name.made = interfaces_[interface].name;
    name.name_hash = hash_text(name.made);
    return name;
  }

  /** Objects of one shape are matched once. */
  std::uint32_t interface_of(Node node) {
    properties_.clear();
    std::uint64_t shape = 0;
    for (const Edge edge : graph_.edges_of(node)) {
      if (graph_.kind(edge) != EdgeKind::kProperty) continue;
      properties_.push_back(graph_.strings.hash(graph_.name(edge)));
      shape = combine(shape, properties_.back());
    }
    const auto [known, fresh] = by_shape_.try_emplace(shape, kNone);
    if (fresh) known->second = matcher_.match(properties_);
    return known->second;
  }

  std::uint32_t with_name(ClassName name, const Location* location) {
    if (location != nullptr) name.location = *location;
    const auto [known, fresh] = by_key_.try_emplace(key_of(name), static_cast<std::uint32_t>(names_.size()));
    if (fresh) names_.push_back(std::move(name));
    return known->second;
  }

  const HeapGraph& graph_;
  const std::vector<Interface>& interfaces_;
  InterfaceMatcher matcher_;
  std::vector<ClassName>& names_;
  Table<Text, std::uint32_t> by_text_;
  std::vector<std::uint32_t> by_type_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_key_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_shape_;
  std::vector<std::uint64_t> properties_;
  std::size_t next_location_ = 0;
};

}  // namespace

ClassTable::ClassTable(const HeapGraph& graph, const std::vector<Interface>& interfaces, Progress& progress) {
  PackedTable<Node> wide(graph.node_count(), graph.node_count());
  {
    Classifier classifier(graph, interfaces, names_);
    for (const Node node : graph.all_nodes()) {
      if ((node.value & 0xFFFF) == 0) progress.at(node.value, graph.node_count());
      wide.set(node, classifier.classify(node));
    }
  }
  names_.shrink_to_fit();
  class_of_ = PackedTable<Node>(graph.node_count(), size());
  for (const Node node : graph.all_nodes()) class_of_.set(node, wide[node]);
}

std::string ClassTable::text(const HeapGraph& graph, Class c) const {
  const ClassName& name = names_[c.value];
  return name.made.empty() ? graph.strings.decode(name.text) : name.made;
}

std::string ClassTable::key(const HeapGraph& graph, Class c) const {
  const ClassName& name = names_[c.value];
  std::string key;
  if (name.location) {
    key = std::to_string(name.location->script_id) + ',' + std::to_string(name.location->line) + ',' +
          std::to_string(name.location->column);
  }
  return key + ',' + text(graph, c);
}

std::uint64_t ClassTable::key_hash(Class c) const { return key_of(names_[c.value]); }

}  // namespace crucible::heap
