#include "heap/compare/path_tree.h"

#include <algorithm>

#include "heap/compare/file_scopes.h"

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
    is_settled_ = Bits<Node>(graph_.node_count());
    is_counted_ = Bits<Node>(graph_.node_count());
  }

  void run() {
    const Group root = add_group({hash_text("root"), kNo<Group>, 1, graph_.nodes.self_bytes[graph_.root], 0, kNo<Edge>, graph_.root});
    // Not put(): expanding the root would follow V8's lists of everything at once.
    tree_.group_of_[graph_.root] = root;
    is_settled_.set(graph_.root);
    plumbing_ = add_group({combine(hash_text("root"), hash_text("plumbing")), root, 0, 0, 0, kNo<Edge>, graph_.root});
    // Scopes are settled before anything finds its own way to them.
    const std::vector<FileScope> scopes = find_file_scopes(snapshot_);
    for (const FileScope& scope : scopes) settle_scope(scope, root);
    // The program's own roots first, so that V8's lists of everything claim nothing of it.
    for (const Edge edge : graph_.edges_of(graph_.root))
      if (graph_.is_user_root(graph_.to(edge))) follow(root, graph_.root, edge, false);
    spread();
    for (const bool builtin : {false, true}) {
      for (const FileScope& scope : scopes)
        if (scope.is_builtin == builtin) open_.push_back(scope.context);
      spread();
    }
    for (const Edge edge : graph_.edges_of(graph_.root)) follow(root, graph_.root, edge, false);
    spread();
    spread_plumbing();
    // What happens to be on the stack holds other objects in every snapshot: it may name only what nothing else does.
    for (const Waiting& waiting : passing_) follow(tree_.group_of_[waiting.from], waiting.from, waiting.edge, false);
    spread();
    spread_plumbing();
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

  void settle_scope(const FileScope& scope, Group root) {
    Group group = tree_.find(scope.fingerprint);
    if (group == kNo<Group>) {
      group = add_group({scope.fingerprint, root, 0, 0, 0, kNo<Edge>, scope.context});
      tree_.file_of_.emplace(group.value, scope.file);
    }
    tree_.group_of_[scope.context] = group;
    is_settled_.set(scope.context);
    count(group, scope.context, true);
  }

  /** Near before far, one distance after the other. What V8 keeps for itself waits in `later_`. */
  void spread() {
    while (next_ < open_.size()) {
      for (const std::size_t end = open_.size(); next_ < end;) {
        const Node node = open_[next_++];
        if ((next_ & 0xFFFF) == 0) progress_.at(next_, graph_.node_count());
        expand(node);
      }
      for (std::size_t at = next_; at < open_.size(); ++at) is_settled_.set(open_[at]);
    }
  }

  /**
   * A prototype or a shape belongs to no object that has it: what only these lead to is a tree of its own. An entry's
   * class would otherwise bring all variables of its module into the collection.
   */
  void spread_plumbing() {
    for (std::size_t at = 0; at < later_.size();) {
      for (const std::size_t end = later_.size(); at < end; ++at) follow(plumbing_, later_[at].from, later_[at].edge, true);
      spread();
    }
    later_.resize(0);
  }

  /** Nothing at this distance can take it any more. */
  [[nodiscard]] bool is_settled(Node node) const { return is_settled_[node]; }

  void expand(Node node) {
    const Group group = tree_.group_of_[node];
    const bool keys_are_data = is_dictionary(node);
    const bool is_synthetic = graph_.kind(node) == NodeKind::kSynthetic;
    // What a module exports stands in cells without a name.
    const bool is_module = graph_.is_named(node, hash_text("system / SourceTextModule"));
    for (const Edge edge : graph_.edges_of(node)) {
      const EdgeKind kind = graph_.kind(edge);
      if (kind == EdgeKind::kWeak || kind == EdgeKind::kShortcut || is_settled(graph_.to(edge))) continue;
      if (is_synthetic && is_passing_root(graph_.to(edge))) {
        passing_.push_back({node, edge});
      } else if (!is_module && is_plumbing(graph_, edge)) {
        later_.push_back({node, edge});
      } else {
        follow(group, node, edge, keys_are_data);
      }
    }
  }

  void follow(Group group, Node from, Edge edge, bool keys_are_data) {
    const Node to = graph_.to(edge);
    if (to == from || graph_.kind(edge) == EdgeKind::kWeak || is_settled(to)) return;
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
    const Group before = tree_.group_of_[to];
    if (before != kNo<Group> && tree_.row(before).fingerprint <= fingerprint) return;
    Group child = tree_.find(fingerprint);
    if (child == kNo<Group>) {
      child = add_group({fingerprint, group, 0, 0, 0, edge, to});
      step_of_[child.value] = step;
    }
    put(to, child, true);
  }

  /**
   * Of several ways of one length the one with the smallest fingerprint is taken: V8 puts references in another order
   * in every process.
   */
  void put(Node node, Group group, bool counts) {
    const Group before = tree_.group_of_[node];
    if (before != kNo<Group>) {
      if (tree_.row(before).fingerprint <= tree_.row(group).fingerprint) return;
      PathTree::Row& row = tree_.rows_[before.value];
      row.objects -= is_counted_[node];
      row.own_bytes -= graph_.nodes.self_bytes[node];
      is_counted_.reset(node);
    } else {
      open_.push_back(node);
    }
    tree_.group_of_[node] = group;
    count(group, node, counts);
  }

  void count(Group group, Node node, bool counts) {
    PathTree::Row& row = tree_.rows_[group.value];
    row.objects += counts;
    row.own_bytes += graph_.nodes.self_bytes[node];
    if (counts) is_counted_.set(node);
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

  bool is_passing_root(Node node) const {
    return graph_.kind(node) == NodeKind::kSynthetic &&
           (graph_.is_named(node, hash_text("(Stack roots)")) || graph_.is_named(node, hash_text("(Handle scope)")));
  }

  /** The properties of a global object are the program's variables. Since Node 26 its context stands before it. */
  bool is_global(Node node) const {
    if (snapshot_.distance[node] == 1) return true;
    if (snapshot_.distance[node] != 2) return false;
    for (const Edge edge : graph_.edges_of(graph_.root)) {
      if (!graph_.is_user_root(graph_.to(edge))) continue;
      const Edge object = graph_.find_edge(graph_.to(edge), EdgeKind::kInternal, hash_text("global_object"));
      if (object != kNo<Edge> && graph_.to(object) == node) return true;
    }
    return false;
  }

  bool is_dictionary(Node node) const {
    if (graph_.edges_of(node).size() < kDictionaryProperties || is_global(node)) return false;
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
  std::vector<Waiting> passing_;
  Group plumbing_ = kNo<Group>;
  Column<std::uint64_t> step_of_;
  Table<Text, std::uint64_t> label_of_text_;
  /** Reached nearer than what is being walked, and reached as an object of its own. */
  Bits<Node> is_settled_, is_counted_;
};

PathTree::PathTree(const Snapshot& snapshot, Progress& progress) { PathTreeBuilder(snapshot, *this, progress).run(); }

Group PathTree::find(std::uint64_t fingerprint) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = fingerprint & mask; slots_[slot] != 0; slot = (slot + 1) & mask)
    if (rows_[slots_[slot] - 1].fingerprint == fingerprint) return Group{slots_[slot] - 1};
  return kNo<Group>;
}

std::string PathTree::path_text(const HeapGraph& graph, const Names& names, Group group) const {
  std::vector<Group> chain;
  Group start = group;
  for (; start != kNo<Group> && row(start).sample_edge != kNo<Edge>; start = row(start).parent) chain.push_back(start);
  const auto file = file_of_.find(start.value);
  if (chain.empty()) return file == file_of_.end() ? "(V8's own)" : file->second;
  std::string text = file == file_of_.end() ? "" : file->second;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    const Row& step = row(*at);
    if (text.empty()) {
      text = names.node(step.sample);
      continue;
    }
    const bool named = graph.has_text_name(step.sample_edge) && graph.kind(step.sample_edge) != EdgeKind::kInternal;
    const bool many = graph.kind(step.sample_edge) == EdgeKind::kElement || (step.objects > 1 && !named);
    text += many ? "[x]" : names.edge(step.sample_edge);
  }
  return text;
}

std::size_t PathTree::bytes_held() const { return rows_.bytes_held() + group_of_.bytes_held() + slots_.bytes_held(); }

}  // namespace crucible::heap
