#include "heap/analysis/dominators.h"

#include <algorithm>

#include "heap/base/prefetch.h"
#include "heap/graph/edge_rule.h"

namespace crucible::heap {

namespace {

class DepthFirst {
 public:
  DepthFirst(const HeapGraph& graph, Progress& progress)
      : graph_(graph),
        rule_(graph),
        progress_(progress),
        node_count_(graph.node_count()),
        root_(graph.root),
        first_edge_(graph.nodes.first_edge.column().data()),
        to_(graph.edges.to.view()) {
    order_.node_at = PackedTable<Dfs, Node>(node_count_, node_count_);
    order_.number_of = PackedTable<Node, Dfs>(node_count_, node_count_);
    order_.parent_of = PackedTable<Dfs, Dfs>(node_count_, node_count_);
    order_.page_owned = Bits<Node>(node_count_);
    is_met_ = Bits<Node>(node_count_);
  }

  DfsOrder run() {
    const Dfs root = meet(root_, Dfs{0});
    search_page();
    // Of the root's edges those into the page come first: any order is a depth-first one.
    enter(root_, root);
    search([this](Node from, Edge edge, Node to) { return is_essential(from, edge, to); });
    if (met_ < node_count_) visit_orphans();
    order_.reached = met_;
    for (std::uint32_t node = 0; node < node_count_ && met_ < node_count_; ++node)
      if (!is_met_[Node{node}]) meet(Node{node}, Dfs{0});
    return std::move(order_);
  }

 private:
  struct Frame {
    std::uint32_t edge;
    std::uint32_t end;
    Node node;
    Dfs number;
  };

  Dfs meet(Node node, Dfs parent) {
    const Dfs number{met_++};
    if ((number.value & 0xFFFF) == 0) progress_.at(number.value, node_count_);
    order_.node_at.set(number, node);
    order_.number_of.set(node, number);
    is_met_.set(node);
    order_.parent_of.set(number, parent);
    return number;
  }

  void enter(Node node, Dfs number) {
    stack_.push_back({first_edge_[node.value], first_edge_[node.value + 1], node, number});
  }

  /** From what was entered, over the edges that `follows` says: it is asked only if an edge leads to something new. */
  template <class Follows>
  void search(Follows follows) {
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      Node next = kNo<Node>;
      const std::uint32_t end = frame.end;
      for (std::uint32_t edge = frame.edge; edge < end; ++edge) {
        const Node to{to_[edge]};
        if (is_met_[to] || !follows(frame.node, Edge{edge}, to)) continue;
        frame.edge = edge + 1;
        next = to;
        break;
      }
      if (next == kNo<Node>) {
        stack_.pop_back();
      } else {
        const Dfs parent = frame.number;
        enter(next, meet(next, parent));
      }
    }
  }

  [[nodiscard]] bool is_essential(Node from, Edge edge, Node to) const {
    return rule_.retains(from, edge, to) && (!order_.page_owned[to] || from == root_ || order_.page_owned[from]);
  }

  /**
   * Finds the page and searches it at once: what retaining edges lead to from
   * the globals is both. The few nodes that only other edges lead to are the
   * page's as well, but nothing of it retains them.
   */
  void search_page() {
    // So that edges that lead back to the root are seen: it is of the page then.
    is_met_.reset(root_);
    Column<Node> aside;
    const auto follows = [&](Node from, Edge edge, Node to) {
      if (to != root_ && rule_.retains(from, edge, to)) return true;
      if (!rule_.is_weak(edge)) aside.push_back(to);
      return false;
    };
    for (const Edge edge : graph_.edges_of(root_)) {
      const Node node = graph_.to(edge);
      if (!is_global(edge, node)) continue;
      if (node == root_) aside.push_back(node);
      if (node == root_ || is_met_[node]) continue;
      enter(node, meet(node, Dfs{0}));
      search(follows);
    }
    order_.page_end = met_;
    Bits<Node>& owned = order_.page_owned;
    for (std::size_t word = 0; word < owned.word_count(); ++word) owned.word_at(word) = is_met_.word_at(word);
    is_met_.set(root_);
    while (!aside.empty()) {
      const Node node = aside.pop_back();
      if (!owned.claim(node)) continue;
      for (const Edge edge : graph_.edges_of(node))
        if (!rule_.is_weak(edge) && !owned[graph_.to(edge)]) aside.push_back(graph_.to(edge));
    }
  }

  [[nodiscard]] bool is_global(Edge edge, Node node) const {
    const EdgeKind kind = graph_.kind(edge);
    return kind == EdgeKind::kShortcut || (kind == EdgeKind::kElement && graph_.kind(node) == NodeKind::kSynthetic &&
                                           graph_.is_named(node, hash_text("(Document DOM trees)")));
  }

  /** Nodes that no essential edge leads to. */
  void visit_orphans() {
    Bits<Node> retained(node_count_);
    // What was met has led to everything that it retains.
    for (const Node node : graph_.all_nodes()) {
      if (is_met_[node]) continue;
      for (const Edge edge : graph_.edges_of(node))
        if (is_essential(node, edge, graph_.to(edge))) retained.set(graph_.to(edge));
    }
    for (const Node node : graph_.all_nodes()) {
      if (is_met_[node] || retained[node]) continue;
      enter(node, meet(node, Dfs{0}));
      search([this](Node from, Edge edge, Node to) { return is_essential(from, edge, to); });
    }
  }

  const HeapGraph& graph_;
  const EdgeRule rule_;
  Progress& progress_;
  const std::uint32_t node_count_;
  const Node root_;
  const std::uint32_t* const first_edge_;
  const PackedView to_;
  DfsOrder order_;
  /** Most edges lead to nodes that were met, and bits stay in the cache. */
  Bits<Node> is_met_;
  std::uint32_t met_ = 0;
  Column<Frame> stack_;
};

/** The forest of the nodes that were already processed, with the best label on the way up. */
class Forest {
 public:
  Forest(std::uint32_t size, const PackedTable<Dfs, Dfs>& parent_of)
      : links_(size) {
    for (std::uint32_t at = 0; at < size; ++at) links_[at] = {parent_of[Dfs{at}].value, at};
  }

  void set_label(std::uint32_t at, std::uint32_t label) { links_[at].label = label; }

  /** The smallest label between `at` and the last processed node, which is above everything before `first`. */
  std::uint32_t evaluate(std::uint32_t at, std::uint32_t first) {
    if (links_[at].ancestor < first) return links_[at].label;
    std::uint32_t top = at;
    do {
      path_.push_back(top);
      top = links_[top].ancestor;
    } while (links_[top].ancestor >= first);
    Link above = links_[top];
    while (!path_.empty()) {
      Link& link = links_[path_.pop_back()];
      link.label = std::min(link.label, above.label);
      link.ancestor = above.ancestor;
      above = link;
    }
    return above.label;
  }

 private:
  /** Side by side, because whoever needs one needs the other. */
  struct Link {
    std::uint32_t ancestor;
    std::uint32_t label;
  };
  Column<Link> links_;
  Column<std::uint32_t> path_;
};

constexpr std::uint32_t kNodesAhead = 8;

}  // namespace

DfsOrder search_depth_first(const HeapGraph& graph, Progress& progress) {
  return DepthFirst(graph, progress).run();
}

PackedTable<Dfs, Dfs> find_dominators(DfsOrder& order, const Retainers& retainers, Progress& progress) {
  const std::uint32_t size = order.size();
  const std::uint32_t* const first = retainers.first_data();
  const PackedView from = retainers.raw();
  const std::uint32_t mark = retainers.mark();
  const PackedView number_of = order.number_of.view();
  const PackedView node_at = order.node_at.view();
  const PackedView parent_of = order.parent_of.view();
  PackedTable<Dfs> semidominator(size, size);
  {
    Forest forest(size, order.parent_of);
    for (std::uint32_t w = order.reached; w-- > 1;) {
      if ((w & 0xFFFF) == 0) progress.at(size - w, size);
      // Three steps of a chain of look-ups, each begun well before it is needed.
      if (w > 3 * kNodesAhead) {
        will_read(first + node_at[w - 3 * kNodesAhead]);
        will_read(from.address(first[node_at[w - 2 * kNodesAhead]]));
        const std::uint32_t soon = node_at[w - kNodesAhead];
        for (std::uint32_t at = first[soon]; at < first[soon + 1] && at < first[soon] + kNodesAhead; ++at)
          will_read(number_of.address(from[at] & ~mark));
      }
      const std::uint32_t node = node_at[w];
      const bool in_page = w < order.page_end || order.page_owned[Node{node}];
      std::uint32_t best = parent_of[w];
      for (std::uint32_t at = first[node]; at < first[node + 1] && best != 0; ++at) {
        if (from[at] >= mark) continue;
        const std::uint32_t v = number_of[from[at]];
        if (v >= order.page_end && in_page && !order.page_owned[Node{from[at]}]) continue;
        if (v <= w) {
          best = std::min(best, v);
        } else if (v < order.reached) {
          best = std::min(best, forest.evaluate(v, w + 1));
        }
      }
      semidominator.set(Dfs{w}, best);
      forest.set_label(w, best);
    }
  }
  order.number_of.clear();
  // From here on the search tree is the dominator tree, up to the node that is looked at.
  for (std::uint32_t w = 1; w < size; ++w) {
    std::uint32_t candidate = parent_of[w];
    while (candidate > semidominator[Dfs{w}]) candidate = parent_of[candidate];
    parent_of.set(w, candidate);
  }
  return std::move(order.parent_of);
}

}  // namespace crucible::heap
