#include "heap/analysis/snapshot.h"

#include <chrono>
#include <unordered_set>

#include "heap/analysis/dominators.h"
#include "heap/analysis/marking.h"
#include "heap/analysis/owned_sizes.h"
#include "heap/parse/file_parser.h"

namespace crucible::heap {

namespace {

class Stopwatch {
 public:
  explicit Stopwatch(std::vector<PhaseTime>& phases) : phases_(phases) {}
  void lap(const char* name) {
    const auto now = std::chrono::steady_clock::now();
    phases_.push_back({name, std::chrono::duration<double>(now - last_).count()});
    last_ = now;
  }

 private:
  std::vector<PhaseTime>& phases_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/** The shapes that came with the question first, then those that are new in this heap. */
std::vector<Interface> join_interfaces(std::vector<Interface> given, std::vector<Interface> found) {
  std::unordered_set<std::string> known;
  for (const Interface& interface : given) known.insert(interface.name);
  for (Interface& interface : found)
    if (known.insert(interface.name).second) given.push_back(std::move(interface));
  return given;
}

void install(Snapshot& snapshot, const DfsOrder& order, const Table<Dfs, Dfs>& dominator,
             const Table<Dfs, std::uint64_t>& retained) {
  snapshot.dominator = Table<Node, Node>(order.size());
  snapshot.retained_bytes = WideTable<Node>(order.size());
  for (const Dfs at : order.node_at.keys()) {
    const Node node = order.node_at[at];
    snapshot.dominator[node] = order.node_at[dominator[at]];
    snapshot.retained_bytes.set(node, retained[at]);
  }
}

}  // namespace

Snapshot analyse(HeapGraph graph, AnalysisOptions options, const Crew& crew, Progress& progress) {
  Snapshot snapshot;
  Stopwatch watch(snapshot.phases);
  snapshot.graph = std::move(graph);
  HeapGraph& heap = snapshot.graph;
  progress.enter(Phase::kMarking);
  propagate_detachedness(heap);
  EssentialEdges essential;
  crew.both(
      [&] {
        essential = mark_essential(heap, mark_page_owned(heap, progress), Crew(1), progress);
        snapshot.owned_bytes = fold_into_owners(heap, progress);
      },
      [&] { snapshot.distance = measure_distances(heap, progress); });
  watch.lap("marking, distances, owners");
  progress.enter(Phase::kDominators);
  DfsOrder order;
  crew.both([&] { order = search_depth_first(heap, essential, progress); },
            [&] { snapshot.retainers = Retainers(heap, essential); });
  essential = {};
  watch.lap("search, retainers");
  Table<Dfs, Dfs> dominator;
  crew.both([&] { dominator = find_dominators(order, snapshot.retainers, progress); },
            [&] {
              snapshot.interfaces = join_interfaces(std::move(options.interfaces), infer_interfaces(heap, progress));
              snapshot.classes = ClassTable(heap, snapshot.interfaces, progress);
            });
  watch.lap("dominators, classes");
  progress.enter(Phase::kSizes);
  const Table<Dfs, std::uint64_t> retained = sum_retained(order, dominator, snapshot.owned_bytes);
  watch.lap("retained sizes");
  crew.both(
      [&] {
        snapshot.class_totals = total_classes(heap, snapshot.classes, snapshot.owned_bytes, snapshot.distance);
        total_retained(snapshot.class_totals, snapshot.classes, order, dominator, retained, snapshot.owned_bytes);
      },
      [&] { install(snapshot, order, dominator, retained); });
  watch.lap("totals");
  progress.enter(Phase::kDone);
  return snapshot;
}

Snapshot read_snapshot(const std::string& path, ParseOptions parsing, AnalysisOptions options, const Crew& crew,
                       Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  HeapGraph graph = parse_file(path, parsing, crew, progress);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Snapshot snapshot = analyse(std::move(graph), std::move(options), crew, progress);
  snapshot.phases.insert(snapshot.phases.begin(), PhaseTime{"parse", seconds});
  return snapshot;
}

std::size_t Snapshot::node_bytes_held() const {
  // Allocation tracking adds a column that the budget of other snapshots does not know.
  return graph.nodes.bytes_held() - graph.nodes.trace_node.bytes_held() + retainers.node_bytes_held() +
         owned_bytes.bytes_held() + retained_bytes.bytes_held() + dominator.bytes_held() + distance.bytes_held() +
         classes.node_bytes_held();
}

std::size_t Snapshot::edge_bytes_held() const { return graph.edges.bytes_held() + retainers.edge_bytes_held(); }

std::size_t Snapshot::bytes_held() const {
  return node_bytes_held() + edge_bytes_held() + graph.nodes.trace_node.bytes_held() + graph.strings.bytes_held() +
         graph.ephemerons.bytes_held() + graph.locations.bytes_held() + graph.traces.bytes_held() +
         classes.class_bytes_held() + class_totals.capacity() * sizeof(ClassTotals);
}

}  // namespace crucible::heap
