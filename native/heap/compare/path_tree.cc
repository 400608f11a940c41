#include "heap/compare/path_tree.h"

#include <algorithm>

#include "heap/query/names.h"

namespace crucible::heap {

namespace {

/** From here on an object's property names are data: user ids, file names. */
constexpr std::uint32_t kDictionaryProperties = 100;
constexpr std::uint64_t kIndexLabel = hash_text("[x]");
constexpr std::uint64_t kEntryLabel = hash_text("[weak entry]");

bool is_backing_store(const HeapGraph& graph, Edge edge) {
  if (graph.kind(edge) != EdgeKind::kInternal) return false;
  const std::uint64_t name = graph.strings.hash(graph.name(edge));
  const bool named = name == hash_text("elements") || name == hash_text("properties") || name == hash_text("table");
  return named && graph.kind(graph.to(edge)) == NodeKind::kArray;
}

/** What V8 keeps for itself: these lead everywhere, and to nothing that a program put there. */
bool is_plumbing(const HeapGraph& graph, Edge edge) {
  switch (graph.kind(edge)) {
    case EdgeKind::kProperty: return graph.is_named(edge, hash_text("__proto__"));
    case EdgeKind::kContext:
    case EdgeKind::kElement: return false;
    case EdgeKind::kInternal: {
      const std::uint64_t name = graph.strings.hash(graph.name(edge));
      return name == hash_text("map") || name == hash_text("shared") || name == hash_text("code") ||
             name == hash_text("feedback_cell") || name == hash_text("prototype") ||
             name == hash_text("native_context") || name == hash_text("scope_info");
    }
    default: return true;
  }
}

/** Names that no run changes: not the shapes that were inferred from this heap alone. */
std::uint64_t stable_class(const Snapshot& snapshot, Node node) {
  const HeapGraph& graph = snapshot.graph;
  if (graph.kind(node) == NodeKind::kClosure) return graph.strings.hash(graph.name(node));
  if (graph.kind(node) == NodeKind::kObject && graph.is_named(node, hash_text("Object"))) return hash_text("Object");
  const ClassName& name = snapshot.classes.name(snapshot.classes.of(node));
  if (!name.location) return name.name_hash;
  return combine(name.name_hash, combine(name.location->line, name.location->column));
}

}  // namespace

class PathTreeBuilder {
 public:
  PathTreeBuilder(const Snapshot& snapshot, PathTree& tree, Progress& progress)
      : snapshot_(snapshot), graph_(snapshot.graph), tree_(tree), progress_(progress) {
    tree_.group_of_ = Table<Node, Group>(graph_.node_count(), kNo<Group>);
    tree_.slots_ = Column<std::uint32_t>(1024);
    label_of_text_ = Table<Text, std::uint64_t>(std::size_t{graph_.strings.size()} + 1);
  }

  void run() {
    const Group root = add_group({hash_text("root"), kNo<Group>, 0, 0, 0, kNo<Edge>, graph_.root});
    put(graph_.root, root, true);
    // The program's own roots first, so that V8's lists of everything claim nothing of it.
    for (const Edge edge : graph_.edges_of(graph_.root))
      if (graph_.is_user_root(graph_.to(edge))) follow(root, graph_.root, edge, false);
    spread();
    for (const Edge edge : graph_.edges_of(graph_.root)) follow(root, graph_.root, edge, false);
    spread();
    for (std::size_t at = tree_.rows_.size(); at-- > 0;) {
      PathTree::Row& row = tree_.rows_[at];
      row.bytes += row.own_bytes;
      if (row.parent != kNo<Group>) tree_.rows_[row.parent.value].bytes += row.bytes;
    }
    tree_.rows_.shrink_to_fit();
  }

 private:
  struct Waiting {
    Node from;
    Edge edge;
  };

  /** Near before far; references that the program made before V8's own. */
  void spread() {
    std::size_t later = 0;
    while (next_ < open_.size() || later < later_.size()) {
      if (next_ == open_.size()) {
        const Waiting waiting = later_[later++];
        follow(tree_.group_of_[waiting.from], waiting.from, waiting.edge, true);
        continue;
      }
      const Node node = open_[next_++];
      if ((next_ & 0xFFFF) == 0) progress_.at(next_, graph_.node_count());
      expand(node);
    }
    later_.resize(0);
  }

  void expand(Node node) {
    const Group group = tree_.group_of_[node];
    const bool keys_are_data = is_dictionary(node);
    for (const Edge edge : graph_.edges_of(node)) {
      const EdgeKind kind = graph_.kind(edge);
      if (kind == EdgeKind::kWeak || kind == EdgeKind::kShortcut) continue;
      if (tree_.group_of_[graph_.to(edge)] != kNo<Group>) continue;
      if (is_plumbing(graph_, edge)) {
        later_.push_back({node, edge});
      } else {
        follow(group, node, edge, keys_are_data);
      }
    }
  }

  void follow(Group group, Node from, Edge edge, bool keys_are_data) {
    const Node to = graph_.to(edge);
    if (to == from || graph_.kind(edge) == EdgeKind::kWeak || tree_.group_of_[to] != kNo<Group>) return;
    if (is_backing_store(graph_, edge)) {
      put(to, group, false);
      return;
    }
    const std::uint64_t step = combine(label_of(edge, keys_are_data), stable_class(snapshot_, to));
    // A chain of equals is one group, however long: its own step led to the parent already.
    if (step_of_[group.value] == step) {
      put(to, group, true);
      return;
    }
    const std::uint64_t fingerprint = combine(tree_.rows_[group.value].fingerprint, step);
    Group child = tree_.find(fingerprint);
    if (child == kNo<Group>) {
      child = add_group({fingerprint, group, 0, 0, 0, edge, to});
      step_of_[child.value] = step;
    }
    put(to, child, true);
  }

  void put(Node node, Group group, bool counts) {
    tree_.group_of_[node] = group;
    PathTree::Row& row = tree_.rows_[group.value];
    row.objects += counts;
    row.own_bytes += graph_.nodes.self_bytes[node];
    open_.push_back(node);
  }

  Group add_group(PathTree::Row row) {
    const Group group{static_cast<std::uint32_t>(tree_.rows_.size())};
    tree_.rows_.push_back(row);
    step_of_.push_back(0);
    if (tree_.rows_.size() * 2 > tree_.slots_.size()) {
      tree_.slots_ = Column<std::uint32_t>(tree_.slots_.size() * 4);
      for (std::uint32_t at = 0; at < tree_.rows_.size(); ++at) place(at);
    } else {
      place(group.value);
    }
    return group;
  }

  void place(std::uint32_t at) {
    const std::size_t mask = tree_.slots_.size() - 1;
    std::size_t slot = tree_.rows_[at].fingerprint & mask;
    while (tree_.slots_[slot] != 0) slot = (slot + 1) & mask;
    tree_.slots_[slot] = at + 1;
  }

  bool is_dictionary(Node node) const {
    if (graph_.edges_of(node).size() < kDictionaryProperties || snapshot_.distance[node] == 1) return false;
    if (graph_.kind(node) != NodeKind::kObject) return false;
    std::uint32_t properties = 0;
    for (const Edge edge : graph_.edges_of(node)) properties += graph_.kind(edge) == EdgeKind::kProperty;
    return properties >= kDictionaryProperties;
  }

  std::uint64_t label_of(Edge edge, bool keys_are_data) {
    switch (graph_.kind(edge)) {
      case EdgeKind::kElement:
      case EdgeKind::kHidden: return kIndexLabel;
      case EdgeKind::kProperty:
        if (keys_are_data) return kIndexLabel;
        return graph_.strings.hash(graph_.name(edge));
      case EdgeKind::kInternal: return internal_label(graph_.name(edge));
      default: return graph_.has_text_name(edge) ? graph_.strings.hash(graph_.name(edge)) : kIndexLabel;
    }
  }

  /** Slots of V8's tables are indices, too, although they have names. */
  std::uint64_t internal_label(Text name) {
    if (name.value >= graph_.strings.size()) return kIndexLabel;
    std::uint64_t& label = label_of_text_[name];
    if (label != 0) return label;
    if (graph_.ephemerons.of(name) != nullptr) return label = kEntryLabel;
    const std::string text = graph_.strings.label_length(name) <= 10 ? graph_.strings.decode(name) : "-";
    const bool slot = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    return label = slot ? kIndexLabel : graph_.strings.hash(name);
  }

  const Snapshot& snapshot_;
  const HeapGraph& graph_;
  PathTree& tree_;
  Progress& progress_;
  Column<Node> open_;
  std::size_t next_ = 0;
  Column<Waiting> later_;
  Column<std::uint64_t> step_of_;
  Table<Text, std::uint64_t> label_of_text_;
};

PathTree::PathTree(const Snapshot& snapshot, Progress& progress) { PathTreeBuilder(snapshot, *this, progress).run(); }

Group PathTree::find(std::uint64_t fingerprint) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = fingerprint & mask; slots_[slot] != 0; slot = (slot + 1) & mask)
    if (rows_[slots_[slot] - 1].fingerprint == fingerprint) return Group{slots_[slot] - 1};
  return kNo<Group>;
}

std::string PathTree::path_text(const Snapshot& snapshot, Group group) const {
  const HeapGraph& graph = snapshot.graph;
  std::vector<Group> chain;
  for (Group at = group; at != kNo<Group> && row(at).sample_edge != kNo<Edge>; at = row(at).parent) chain.push_back(at);
  std::string text;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    const Row& step = row(*at);
    if (at == chain.rbegin()) {
      text = node_text(graph, step.sample);
      continue;
    }
    const bool named = graph.has_text_name(step.sample_edge) && graph.kind(step.sample_edge) != EdgeKind::kInternal;
    const bool many = graph.kind(step.sample_edge) == EdgeKind::kElement || (step.objects > 1 && !named);
    text += many ? "[x]" : edge_text(graph, step.sample_edge);
  }
  return text;
}

std::size_t PathTree::bytes_held() const { return rows_.bytes_held() + group_of_.bytes_held() + slots_.bytes_held(); }

}  // namespace crucible::heap
