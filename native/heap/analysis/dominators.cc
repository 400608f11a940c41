#include "heap/analysis/dominators.h"

#include <algorithm>

#include "heap/base/prefetch.h"

namespace crucible::heap {

namespace {

class DepthFirst {
 public:
  DepthFirst(const HeapGraph& graph, const EssentialEdges& essential, Progress& progress)
      : essential_(essential),
        progress_(progress),
        node_count_(graph.node_count()),
        root_(graph.root),
        first_edge_(graph.nodes.first_edge.column().data()),
        to_(graph.edges.to.column().data()) {
    order_.node_at = Table<Dfs, Node>(node_count_);
    order_.number_of = Table<Node, std::uint32_t>(node_count_);
    order_.parent_of = Table<Dfs, Dfs>(node_count_);
  }

  DfsOrder run() {
    search_from(root_);
    if (met_ < node_count_) visit_orphans();
    order_.reached = met_;
    for (std::uint32_t node = 0; node < node_count_ && met_ < node_count_; ++node)
      if (order_.number_of[Node{node}] == 0) meet(Node{node}, Dfs{0});
    return std::move(order_);
  }

 private:
  struct Frame {
    std::uint32_t edge;
    std::uint32_t end;
    Dfs number;
  };

  Dfs meet(Node node, Dfs parent) {
    const Dfs number{met_++};
    order_.node_at[number] = node;
    order_.number_of[node] = number.value + 1;
    order_.parent_of[number] = parent;
    return number;
  }

  void search_from(Node start) {
    push(start, Dfs{0});
    const std::uint32_t* const number_of = order_.number_of.column().data();
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      Node next = kNo<Node>;
      const std::uint32_t end = frame.end;
      for (std::uint32_t edge = frame.edge; edge < end; ++edge) {
        if (edge + kAhead < end) will_read(number_of + to_[edge + kAhead].value);
        if (number_of[to_[edge].value] != 0 || !essential_[Edge{edge}]) continue;
        frame.edge = edge + 1;
        next = to_[edge];
        break;
      }
      if (next == kNo<Node>) {
        stack_.pop_back();
      } else {
        push(next, frame.number);
      }
    }
  }

  void push(Node node, Dfs parent) {
    const Dfs number = meet(node, parent);
    if ((number.value & 0xFFFF) == 0) progress_.at(number.value, node_count_);
    const std::uint32_t first = first_edge_[node.value];
    const std::uint32_t end = first_edge_[node.value + 1];
    for (std::uint32_t edge = first; edge < end && edge < first + kAhead; ++edge)
      will_read(&order_.number_of[to_[edge]]);
    stack_.push_back({first, end, number});
  }

  /** Nodes that no essential edge leads to. */
  void visit_orphans() {
    Bits<Node> retained(node_count_);
    for (std::uint32_t node = 0; node < node_count_; ++node)
      for (std::uint32_t edge = first_edge_[node]; edge < first_edge_[node + 1]; ++edge)
        if (essential_[Edge{edge}]) retained.set(to_[edge]);
    for (std::uint32_t node = 0; node < node_count_; ++node)
      if (order_.number_of[Node{node}] == 0 && !retained[Node{node}]) search_from(Node{node});
  }

  static constexpr std::uint32_t kAhead = 8;

  const EssentialEdges& essential_;
  Progress& progress_;
  const std::uint32_t node_count_;
  const Node root_;
  const std::uint32_t* const first_edge_;
  const Node* const to_;
  DfsOrder order_;
  std::uint32_t met_ = 0;
  Column<Frame> stack_;
};

/** The forest of the nodes that were already processed, with the best label on the way up. */
class Forest {
 public:
  Forest(std::uint32_t size, const Table<Dfs, Dfs>& parent_of) : links_(size) {
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
  struct Link {
    std::uint32_t ancestor;
    std::uint32_t label;
  };
  Column<Link> links_;
  Column<std::uint32_t> path_;
};

constexpr std::uint32_t kNodesAhead = 8;

}  // namespace

DfsOrder search_depth_first(const HeapGraph& graph, const EssentialEdges& essential, Progress& progress) {
  return DepthFirst(graph, essential, progress).run();
}

Table<Dfs, Dfs> find_dominators(DfsOrder& order, const Retainers& retainers, Progress& progress) {
  const std::uint32_t size = order.size();
  const std::uint32_t* const first = retainers.first_data();
  const std::uint32_t* const from = retainers.raw_data();
  const std::uint32_t* const number_of = order.number_of.column().data();
  const Node* const node_at = order.node_at.column().data();
  Table<Dfs, std::uint32_t> semidominator(size);
  {
    Forest forest(size, order.parent_of);
    for (std::uint32_t w = order.reached; w-- > 1;) {
      if ((w & 0xFFFF) == 0) progress.at(size - w, size);
      // Three steps of a chain of look-ups, each begun well before it is needed.
      if (w > 3 * kNodesAhead) {
        will_read(first + node_at[w - 3 * kNodesAhead].value);
        will_read(from + first[node_at[w - 2 * kNodesAhead].value]);
        const std::uint32_t soon = node_at[w - kNodesAhead].value;
        for (std::uint32_t at = first[soon]; at < first[soon + 1] && at < first[soon] + kNodesAhead; ++at)
          will_read(number_of + (from[at] & Retainers::kNodesMax));
      }
      const std::uint32_t node = node_at[w].value;
      std::uint32_t best = order.parent_of[Dfs{w}].value;
      for (std::uint32_t at = first[node]; at < first[node + 1] && best != 0; ++at) {
        if (from[at] > Retainers::kNodesMax) continue;
        const std::uint32_t v = number_of[from[at]] - 1;
        if (v <= w) {
          best = std::min(best, v);
        } else if (v < order.reached) {
          best = std::min(best, forest.evaluate(v, w + 1));
        }
      }
      semidominator[Dfs{w}] = best;
      forest.set_label(w, best);
    }
  }
  Table<Dfs, Dfs> dominator = std::move(order.parent_of);
  for (std::uint32_t w = 1; w < size; ++w) {
    std::uint32_t candidate = dominator[Dfs{w}].value;
    while (candidate > semidominator[Dfs{w}]) candidate = dominator[Dfs{candidate}].value;
    dominator[Dfs{w}] = Dfs{candidate};
  }
  return dominator;
}

}  // namespace crucible::heap
