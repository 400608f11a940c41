#include "heap/analysis/snapshot.h"

#include <chrono>
#include <mutex>
#include <unordered_set>

#include "heap/analysis/detachedness.h"
#include "heap/analysis/dominators.h"
#include "heap/analysis/owned_sizes.h"
#include "heap/base/jobs.h"
#include "heap/parse/file_parser.h"

namespace crucible::heap {

namespace {

/** Times jobs that may run at the same time. */
class Stopwatch {
 public:
  explicit Stopwatch(std::vector<PhaseTime>& phases) : phases_(phases) {}
  template <class Work>
  void time(const char* name, Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const std::lock_guard lock(mutex_);
    phases_.push_back({name, seconds.count()});
  }

 private:
  std::vector<PhaseTime>& phases_;
  std::mutex mutex_;
};

/** The shapes that came with the question first, then those that are new in this heap. */
std::vector<Interface> join_interfaces(std::vector<Interface> given, std::vector<Interface> found) {
  std::unordered_set<std::string> known;
  for (const Interface& interface : given) known.insert(interface.name);
  for (Interface& interface : found)
    if (known.insert(interface.name).second) given.push_back(std::move(interface));
  return given;
}

}  // namespace

Snapshot analyse(HeapGraph graph, AnalysisOptions options, const Crew& crew, Progress& progress) {
  Snapshot snapshot;
  snapshot.graph = std::move(graph);
  HeapGraph& heap = snapshot.graph;
  propagate_detachedness(heap);
  DfsOrder order;
  PackedTable<Dfs, Dfs> dominator;
  DominatorWalk walk;
  Table<Class, std::uint64_t> class_retained;
  Stopwatch watch(snapshot.phases);
  Jobs jobs;
  const auto add = [&](const char* name, Phase phase, std::initializer_list<Jobs::Job> needs, auto work) {
    return jobs.add(needs, [&watch, &progress, name, phase, work] {
      progress.enter(phase);
      watch.time(name, work);
    });
  };
  // The first three are the longest chain; the rest is done beside it by whoever has nothing to do.
  const auto search = add("search", Phase::kDominators, {}, [&] { order = search_depth_first(heap, progress); });
  const auto retainers = add("retainers", Phase::kRetainers, {}, [&] { snapshot.retainers = Retainers(heap, progress); });
  const auto dominators = add("dominators", Phase::kDominators, {search, retainers},
                              [&] { dominator = find_dominators(order, snapshot.retainers, progress); });
  const auto owners = add("owners", Phase::kSizes, {}, [&] { snapshot.owned_bytes = fold_into_owners(heap, progress); });
  const auto walked = add("dominator tree", Phase::kSizes, {dominators}, [&] {
    walk = walk_dominators(order, std::move(dominator));
    order = {};
  });
  const auto retained = add("retained sizes", Phase::kSizes, {walked, owners}, [&] {
    auto [by_node, bytes] = sum_retained(walk, snapshot.owned_bytes);
    snapshot.dominator = std::move(by_node);
    snapshot.retained_bytes = std::move(bytes);
  });
  const auto classes = add("classes", Phase::kClasses, {}, [&] {
    snapshot.interfaces = join_interfaces(std::move(options.interfaces), infer_interfaces(heap, progress));
    snapshot.classes = ClassTable(heap, snapshot.interfaces, progress);
  });
  const auto retained_by_class = add("retained sizes of classes", Phase::kClasses, {classes, retained}, [&] {
    class_retained = sum_retained_by_class(snapshot.classes, walk, snapshot.retained_bytes, snapshot.owned_bytes);
    walk = {};
  });
  const auto distances = add("distances", Phase::kDistances, {}, [&] { snapshot.distance = measure_distances(heap, progress); });
  add("totals", Phase::kClasses, {retained_by_class, distances}, [&] {
    snapshot.class_totals =
        total_classes(heap, snapshot.classes, snapshot.owned_bytes, class_retained, snapshot.distance);
  });
  jobs.run(crew);
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
