/**
 * heap-inspect: the snapshot reader without Node, for measuring and for tests.
 *
 *   heap-inspect FILE [--threads N] [--salvage] [--parse-only] [--stdin]
 *                     [--top N] [--node ID] [--what-if ID] [--nodes OUT.csv] [--classes OUT.tsv]
 *   heap-inspect A B [C...]      the difference of A and the last; with three or more, growth over all
 *
 * Prints one JSON document. Exit code 2 for input that cannot be read.
 */
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heap/analysis/snapshot.h"
#include "heap/compare/growth.h"
#include "heap/compare/heap_diff.h"
#include "heap/inspect/json_writer.h"
#include "heap/parse/file_parser.h"
#include "heap/query/collections.h"
#include "heap/query/duplicate_strings.h"
#include "heap/query/largest.h"
#include "heap/query/names.h"
#include "heap/query/removal.h"
#include "heap/query/retaining_paths.h"
#include "heap/query/script_names.h"

#if !defined(_WIN32)
#include <sys/resource.h>
#endif

namespace {

using namespace crucible::heap;  // NOLINT: this file is the program, not a header

struct Arguments {
  std::vector<std::string> files;
  unsigned threads = 0;
  bool salvage = false;
  bool parse_only = false;
  bool from_stdin = false;
  std::size_t top = 10;
  std::optional<std::uint64_t> node, what_if;
  std::string nodes_csv, classes_tsv;
};

std::uint64_t peak_resident_bytes() {
#if !defined(_WIN32)
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
#else
  return 0;
#endif
}

Arguments read_arguments(int count, char** values) {
  Arguments given;
  for (int at = 1; at < count; ++at) {
    const std::string word = values[at];
    const auto next = [&] {
      if (at + 1 < count) return std::string(values[++at]);
      std::fprintf(stderr, "%s needs a value\n", word.c_str());
      std::exit(2);
    };
    if (word == "--threads") given.threads = static_cast<unsigned>(std::stoul(next()));
    else if (word == "--salvage") given.salvage = true;
    else if (word == "--parse-only") given.parse_only = true;
    else if (word == "--stdin") given.from_stdin = true;
    else if (word == "--top") given.top = std::stoul(next());
    else if (word == "--node") given.node = std::stoull(next());
    else if (word == "--what-if") given.what_if = std::stoull(next());
    else if (word == "--nodes") given.nodes_csv = next();
    else if (word == "--classes") given.classes_tsv = next();
    else given.files.push_back(word);
  }
  if (given.files.empty() && !given.from_stdin) {
    std::fprintf(stderr, "usage: heap-inspect FILE... [--threads N] [--salvage] [--parse-only] [--top N] [--node ID]\n");
    std::exit(2);
  }
  return given;
}

HeapGraph parse_stdin(ParseOptions options) {
  SnapshotParser parser(options);
  const auto piece = std::make_unique<char[]>(1 << 16);
  while (const std::size_t got = std::fread(piece.get(), 1, 1 << 16, stdin)) parser.feed(piece.get(), got);
  return parser.finish();
}

void write_step(JsonWriter& json, const HeapGraph& graph, const PathStep& step) {
  json.object([&] {
    json.member("edge", edge_text(graph, step.edge));
    json.member("id", graph.nodes.id[step.to]);
    json.member("name", node_text(graph, step.to));
  });
}

void write_path(JsonWriter& json, const HeapGraph& graph, const RetainingPath& path) {
  json.array([&] {
    for (const PathStep& step : path) write_step(json, graph, step);
  });
}

void write_node(JsonWriter& json, const Snapshot& snapshot, Node node) {
  const HeapGraph& graph = snapshot.graph;
  json.object([&] {
    json.member("id", graph.nodes.id[node]);
    json.member("name", node_text(graph, node));
    json.member("class", snapshot.classes.text(graph, snapshot.classes.of(node)));
    json.member("selfBytes", graph.nodes.self_bytes[node]);
    json.member("ownedBytes", snapshot.owned_bytes[node]);
    json.member("retainedBytes", snapshot.retained_bytes[node]);
    json.member("dominatorId", graph.nodes.id[snapshot.dominator[node]]);
    json.member("distance", snapshot.distance[node]);
  });
}

void write_question(JsonWriter& json, const Snapshot& snapshot, const Arguments& given, Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  const auto find = [&](std::uint64_t id) {
    const Node node = graph.find_id(id);
    if (node == kNo<Node>) {
      throw SnapshotError("UNKNOWN_NODE", {kNoOffset, "no object has the id " + std::to_string(id),
                                           "ids are valid within the snapshots of one process", "take one from a report"});
    }
    return node;
  };
  if (given.node) {
    RetainingPaths paths(snapshot);
    const Node node = find(*given.node);
    json.name("node");
    write_node(json, snapshot, node);
    json.name("shortestPath");
    write_path(json, graph, paths.shortest(node));
    json.name("distinctPaths");
    json.array([&] {
      for (const RetainingPath& path : paths.distinct(node, given.top)) write_path(json, graph, path);
    });
  }
  if (given.what_if) {
    const Node gone[] = {find(*given.what_if)};
    const Removal removal = remove_references(graph, {}, gone, progress);
    json.name("whatIf");
    json.object([&] {
      json.member("freedObjects", removal.freed_objects);
      json.member("freedBytes", removal.freed_bytes);
    });
  }
}

void write_findings(JsonWriter& json, const Snapshot& snapshot, std::size_t top, Progress& progress) {
  const HeapGraph& graph = snapshot.graph;
  const ScriptNames scripts(graph);
  json.name("classes");
  json.array([&] {
    for (const Class c : largest_classes(snapshot, top)) {
      json.object([&] {
        json.member("name", snapshot.classes.text(graph, c));
        const auto& location = snapshot.classes.name(c).location;
        json.member("location", location ? scripts.place(*location) : std::string());
        json.member("count", snapshot.totals(c).count);
        json.member("ownedBytes", snapshot.totals(c).owned_bytes);
        json.member("retainedBytes", snapshot.totals(c).retained_bytes);
      });
    }
  });
  json.name("retainers");
  json.array([&] {
    for (const Node node : largest_retainers(snapshot, top)) write_node(json, snapshot, node);
  });
  json.name("collections");
  json.array([&] {
    for (const Collection& collection : find_collections(graph, 100, top, progress)) {
      json.object([&] {
        json.member("id", graph.nodes.id[collection.node]);
        json.member("kind", collection_kind_name(collection.kind));
        json.member("name", node_text(graph, collection.node));
        json.member("entries", collection.entries);
        json.member("capacity", collection.capacity);
      });
    }
  });
  json.name("duplicateStrings");
  json.array([&] {
    for (const DuplicateString& string : find_duplicate_strings(graph, top, progress)) {
      json.object([&] {
        json.member("text", node_text(graph, string.sample));
        json.member("count", string.count);
        json.member("wastedBytes", string.wasted_bytes);
      });
    }
  });
}

void write_nodes_csv(const Snapshot& snapshot, const std::string& path) {
  std::FILE* out = std::fopen(path.c_str(), "w");
  if (out == nullptr) throw SnapshotError("OUTPUT_UNWRITABLE", {kNoOffset, path + " cannot be written", std::strerror(errno), "choose another path"});
  const HeapGraph& graph = snapshot.graph;
  std::fputs("id,type,self_bytes,owned_bytes,retained_bytes,dominator_id,distance\n", out);
  for (const Node node : graph.all_nodes()) {
    std::fprintf(out, "%llu,%s,%llu,%llu,%llu,%llu,%d\n", static_cast<unsigned long long>(graph.nodes.id[node]),
                 graph.meta.node_type_names[graph.type(node)].c_str(),
                 static_cast<unsigned long long>(graph.nodes.self_bytes[node]),
                 static_cast<unsigned long long>(snapshot.owned_bytes[node]),
                 static_cast<unsigned long long>(snapshot.retained_bytes[node]),
                 static_cast<unsigned long long>(graph.nodes.id[snapshot.dominator[node]]), snapshot.distance[node]);
  }
  std::fclose(out);
}

void write_classes_tsv(const Snapshot& snapshot, const std::string& path) {
  std::FILE* out = std::fopen(path.c_str(), "w");
  if (out == nullptr) throw SnapshotError("OUTPUT_UNWRITABLE", {kNoOffset, path + " cannot be written", std::strerror(errno), "choose another path"});
  for (const Class c : snapshot.classes.all()) {
    const ClassTotals& totals = snapshot.totals(c);
    if (totals.count == 0) continue;
    std::fprintf(out, "%s\t%llu\t%llu\t%llu\t%d\n", snapshot.classes.key(snapshot.graph, c).c_str(),
                 static_cast<unsigned long long>(totals.count), static_cast<unsigned long long>(totals.owned_bytes),
                 static_cast<unsigned long long>(totals.retained_bytes), totals.distance);
  }
  std::fclose(out);
}

void write_sizes(JsonWriter& json, const Snapshot& snapshot) {
  const HeapGraph& graph = snapshot.graph;
  json.member("nodeCount", graph.node_count());
  json.member("edgeCount", graph.edge_count());
  json.member("stringCount", graph.strings.size());
  json.member("totalSelfBytes", graph.total_self_bytes());
  json.member("bytesPerNode", static_cast<double>(snapshot.node_bytes_held()) / graph.node_count());
  json.member("bytesPerEdge", static_cast<double>(snapshot.edge_bytes_held()) / std::max(1u, graph.edge_count()));
  json.member("bytesHeld", snapshot.bytes_held());
  json.name("seconds");
  json.object([&] {
    for (const PhaseTime& phase : snapshot.phases) json.member(phase.name, phase.seconds);
  });
  json.name("missing");
  json.array([&] {
    for (const std::string& sentence : graph.missing) json.value(sentence);
  });
}

void inspect(JsonWriter& json, const Arguments& given, const Crew& crew, Progress& progress) {
  const ParseOptions parsing{given.salvage};
  if (given.parse_only) {
    const auto start = std::chrono::steady_clock::now();
    const HeapGraph graph = given.from_stdin ? parse_stdin(parsing) : parse_file(given.files[0], parsing, crew, progress);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    json.member("nodeCount", graph.node_count());
    json.member("edgeCount", graph.edge_count());
    json.member("parseSeconds", seconds.count());
    return;
  }
  const Snapshot snapshot = given.from_stdin ? analyse(parse_stdin(parsing), {}, crew, progress)
                                             : read_snapshot(given.files[0], parsing, {}, crew, progress);
  json.member("analysisPeakResidentBytes", peak_resident_bytes());
  write_sizes(json, snapshot);
  if (!given.nodes_csv.empty()) write_nodes_csv(snapshot, given.nodes_csv);
  if (!given.classes_tsv.empty()) write_classes_tsv(snapshot, given.classes_tsv);
  write_question(json, snapshot, given, progress);
  if (given.top != 0 && !given.node && !given.what_if) write_findings(json, snapshot, given.top, progress);
}

void write_diff(JsonWriter& json, const DiffBase& base, const Snapshot& last, std::size_t top, Progress& progress) {
  const HeapDiff diff = diff_heaps(base, last, top, progress);
  const Balance& balance = diff.balance;
  json.name("balance");
  json.object([&] {
    json.member("deltaBytes", balance.delta_bytes);
    json.member("newBytes", balance.new_bytes);
    json.member("deletedBytes", balance.deleted_bytes);
    json.member("survivorDeltaBytes", balance.survivor_delta_bytes);
    json.member("residualBytes", balance.residual_bytes());
    json.member("newCount", balance.new_count);
    json.member("deletedCount", balance.deleted_count);
    json.member("survivorCount", balance.survivor_count);
  });
  json.member("isOneProcess", diff.is_one_process());
  json.name("classes");
  json.array([&] {
    for (std::size_t at = 0; at < std::min(top, diff.classes.size()); ++at) {
      const ClassDelta& row = diff.classes[at];
      json.object([&] {
        json.member("name", row.name);
        json.member("deltaCount", row.delta_count());
        json.member("deltaBytes", row.delta_bytes());
        json.member("retainedDeltaBytes", row.retained_delta_bytes);
      });
    }
  });
  RetainingPaths paths(last);
  json.name("growers");
  json.array([&] {
    for (const Grower& grower : diff.growers) {
      json.object([&] {
        json.member("id", grower.id);
        json.member("name", node_text(last.graph, grower.node));
        json.member("ownedDeltaBytes", grower.owned_delta_bytes);
        json.member("deltaEntries", grower.delta_entries);
        std::string path;
        for (const PathStep& step : paths.shortest(grower.node)) path += edge_text(last.graph, step.edge);
        json.member("path", path);
      });
    }
  });
}

void compare(JsonWriter& json, const Arguments& given, const Crew& crew, Progress& progress) {
  std::optional<DiffBase> base;
  GrowthTracker tracker;
  const bool several = given.files.size() > 2;
  for (std::size_t at = 0; at < given.files.size(); ++at) {
    AnalysisOptions options;
    if (base) options.interfaces = base->interfaces;
    const Snapshot snapshot = read_snapshot(given.files[at], {given.salvage}, std::move(options), crew, progress);
    if (several) tracker.add(snapshot, progress);
    if (!base) base = make_diff_base(snapshot, progress);
    if (at + 1 != given.files.size()) continue;
    write_diff(json, *base, snapshot, given.top, progress);
    if (!several) continue;
    json.name("growth");
    json.array([&] {
      for (const Growth& growth : tracker.finish(snapshot, {}, progress)) {
        json.object([&] {
          json.member("fingerprint", growth.fingerprint);
          json.member("path", growth.path);
          json.member("className", snapshot.classes.text(snapshot.graph, growth.class_of_entries));
          json.name("deltaCounts");
          json.array([&] { for (const auto count : growth.delta_counts) json.value(count); });
          json.name("deltaBytes");
          json.array([&] { for (const auto bytes : growth.delta_bytes) json.value(bytes); });
          json.member("shareBytes", growth.share_bytes);
          json.member("exclusiveBytes", growth.exclusive_bytes);
        });
      }
    });
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments given = read_arguments(count, values);
  const Crew crew(given.threads);
  Progress progress;
  JsonWriter json;
  try {
    json.object([&] {
      const auto start = std::chrono::steady_clock::now();
      if (given.files.size() > 1) compare(json, given, crew, progress);
      else inspect(json, given, crew, progress);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      json.member("threads", crew.threads());
      json.member("totalSeconds", seconds.count());
      json.member("peakResidentBytes", peak_resident_bytes());
    });
    std::fprintf(stdout, "%s\n", json.written().c_str());
    return 0;
  } catch (const SnapshotError& error) {
    std::fprintf(stderr, "%s at byte %lld: %s: %s\n  fix: %s\n", error.code(),
                 static_cast<long long>(error.parts().byte_offset), error.parts().what.c_str(),
                 error.parts().why.c_str(), error.parts().fix.c_str());
    return 2;
  }
}
