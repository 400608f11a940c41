#include <map>
#include <set>

#include "heap/query/removal.h"
#include "heap/query/retaining_paths.h"
#include "test/native/heap/slow_truth.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

constexpr std::uint32_t kGraphs = 500;

std::string at_seed(std::uint32_t seed) { return "seed " + std::to_string(seed); }

/** Seeds make graphs of up to 40 nodes, and every tenth one of up to 160. */
HeapBuilder heap_of(std::uint32_t seed) { return slow::random_heap(seed, seed % 10 == 0 ? 160 : 40); }

void check(bool holds, std::uint32_t seed, const std::string& what) {
  if (!holds) throw std::runtime_error(at_seed(seed) + ": " + what);
}

}  // namespace

TEST("dominators equal those found by taking away each node, on 500 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Snapshot snapshot = heap_of(seed).analysed(1 + seed % 3);
    const std::vector<std::uint32_t> truth = slow::dominators(snapshot.graph);
    for (const Node node : snapshot.graph.all_nodes())
      check(snapshot.dominator[node].value == truth[node.value], seed,
            "dominator of " + std::to_string(node.value) + " is " + std::to_string(snapshot.dominator[node].value) +
                ", expected " + std::to_string(truth[node.value]));
  }
}

TEST("retained sizes equal sums over everything that a node dominates, on 500 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Snapshot snapshot = heap_of(seed).analysed();
    std::vector<std::uint64_t> sizes;
    for (const Node node : snapshot.graph.all_nodes()) sizes.push_back(snapshot.owned_bytes[node]);
    const auto truth = slow::retained(slow::dominators(snapshot.graph), sizes, snapshot.graph.root.value);
    for (const Node node : snapshot.graph.all_nodes())
      check(snapshot.retained_bytes[node] == truth[node.value], seed, "retained size of " + std::to_string(node.value));
    check(snapshot.retained_bytes[snapshot.graph.root] == snapshot.graph.total_self_bytes(), seed, "the root retains all");
  }
}

TEST("folding moves sizes and loses none, on 500 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Snapshot snapshot = heap_of(seed).analysed();
    std::uint64_t owned = 0;
    for (const Node node : snapshot.graph.all_nodes()) owned += snapshot.owned_bytes[node];
    check(owned == snapshot.graph.total_self_bytes(), seed, "sum of owned sizes");
  }
}

TEST("class totals count each outermost object once, on 500 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Snapshot snapshot = heap_of(seed).analysed();
    std::map<std::uint32_t, std::uint64_t> truth;
    for (const Node node : snapshot.graph.all_nodes()) {
      if (snapshot.owned_bytes[node] == 0) continue;
      bool outermost = true;
      for (Node at = node; at != snapshot.graph.root;) {
        at = snapshot.dominator[at];
        outermost &= snapshot.classes.of(at) != snapshot.classes.of(node) || snapshot.owned_bytes[at] == 0;
      }
      if (outermost) truth[snapshot.classes.of(node).value] += snapshot.retained_bytes[node];
    }
    for (const Class c : snapshot.classes.all())
      check(snapshot.totals(c).retained_bytes == truth[c.value], seed, "retained bytes of class " + std::to_string(c.value));
  }
}

TEST("retainers are the edges turned around, on 500 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Snapshot snapshot = heap_of(seed).analysed(2);
    const auto retaining = slow::retaining_edges(snapshot.graph);
    std::multiset<std::string> forward, backward;
    for (const Node node : snapshot.graph.all_nodes()) {
      for (const Edge edge : snapshot.graph.edges_of(node))
        forward.insert(std::to_string(node.value) + ">" + std::to_string(snapshot.graph.to(edge).value) +
                       (retaining.contains(edge.value) ? "!" : "?"));
      for (const Retainer retainer : snapshot.retainers.of(node))
        backward.insert(std::to_string(snapshot.retainers.from(retainer).value) + ">" + std::to_string(node.value) +
                        (snapshot.retainers.retains(retainer) ? "!" : "?"));
    }
    check(forward == backward, seed, "retainers differ from edges");
  }
}

TEST("the shortest path is connected and as long as the distance says, on 400 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    // DevTools' distances around a root that is referred to are no path's length.
    if (seed % 5 == 0) continue;
    const Snapshot snapshot = heap_of(seed).analysed();
    RetainingPaths paths(snapshot);
    for (const Node node : snapshot.graph.all_nodes()) {
      const RetainingPath path = paths.shortest(node);
      const std::int32_t distance = snapshot.distance[node];
      if (path.empty()) {
        check(distance == kNoDistance || node == snapshot.graph.root, seed, "no path to " + std::to_string(node.value));
        continue;
      }
      check(path.front().from == snapshot.graph.root && path.back().to == node, seed, "ends of the path");
      for (std::size_t at = 0; at < path.size(); ++at) {
        check(snapshot.graph.to(path[at].edge) == path[at].to, seed, "target of a step");
        check(snapshot.graph.from(path[at].edge) == path[at].from, seed, "origin of a step");
        check(snapshot.graph.kind(path[at].edge) != EdgeKind::kWeak, seed, "a weak step");
        if (at > 0) check(path[at - 1].to == path[at].from, seed, "a gap");
      }
      const std::int32_t length = static_cast<std::int32_t>(path.size());
      check(length == (distance >= kSystemDistance ? distance - kSystemDistance : distance), seed,
            "length " + std::to_string(length) + " of the path, distance " + std::to_string(distance));
    }
  }
}

TEST("distinct paths share nothing but their ends, on 500 random graphs") {
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const Snapshot snapshot = heap_of(seed).analysed();
    const RetainingPaths paths(snapshot);
    for (const Node node : snapshot.graph.all_nodes()) {
      std::set<std::uint32_t> between;
      for (const RetainingPath& path : paths.distinct(node, 5)) {
        check(path.front().from == snapshot.graph.root && path.back().to == node, seed, "ends of the path");
        for (std::size_t at = 1; at < path.size(); ++at) {
          check(path[at - 1].to == path[at].from, seed, "a gap");
          check(between.insert(path[at].from.value).second, seed, "two paths through one object");
        }
      }
    }
  }
}

TEST("what a removal frees equals the slow ephemeron fixpoint, on 500 random graphs") {
  Progress progress;
  for (std::uint32_t seed = 1; seed <= kGraphs; ++seed) {
    const HeapGraph graph = slow::random_heap(seed, 24).graph();
    const auto before = slow::alive_without(graph, kNone);
    for (std::uint32_t gone = 0; gone < graph.node_count(); gone += 3) {
      const auto after = slow::alive_without(graph, gone);
      const Node nodes[] = {Node{gone}};
      const Removal removal = remove_references(graph, {}, nodes, progress);
      for (const Node node : graph.all_nodes())
        check(removal.freed[node] == (before.contains(node.value) && !after.contains(node.value)), seed,
              "whether " + std::to_string(node.value) + " is freed without " + std::to_string(gone));
    }
  }
}
