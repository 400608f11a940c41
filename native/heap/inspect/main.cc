/**
 * heap-inspect: the snapshot reader without Node, for measuring and for tests.
 *
 *   heap-inspect FILE [--threads N] [--salvage] [--parse-only] [--stdin] [--redact]
 *                     [--top N] [--node ID] [--nodes OUT.csv] [--classes OUT.tsv] [--redacted OUT]
 *   heap-inspect A B [C...]      the difference of A and the last; with three or more, growth over all
 *
 * Prints one JSON document: what was measured, and the answer. Exit code 2 for input that cannot be read.
 */
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heap/export/nodes_csv.h"
#include "heap/export/redacted_snapshot.h"
#include "heap/json/diff.h"
#include "heap/json/json_writer.h"
#include "heap/json/node_detail.h"
#include "heap/json/overview.h"
#include "heap/parse/file_parser.h"

#if !defined(_WIN32)
#include <sys/resource.h>
#endif

namespace {

using namespace crucible::heap;  // NOLINT: this file is the program, not a header

struct Arguments {
  std::vector<std::string> files;
  ReadOptions reading;
  bool parse_only = false;
  bool from_stdin = false;
  std::size_t top = 10;
  std::optional<std::uint64_t> node;
  std::string nodes_csv, classes_tsv, redacted;
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
    if (word == "--threads") given.reading.threads = static_cast<unsigned>(std::stoul(next()));
    else if (word == "--salvage") given.reading.salvage = true;
    else if (word == "--redact") given.reading.redact = true;
    else if (word == "--parse-only") given.parse_only = true;
    else if (word == "--stdin") given.from_stdin = true;
    else if (word == "--top") given.top = std::stoul(next());
    else if (word == "--node") given.node = std::stoull(next());
    else if (word == "--nodes") given.nodes_csv = next();
    else if (word == "--classes") given.classes_tsv = next();
    else if (word == "--redacted") given.redacted = next();
    else given.files.push_back(word);
  }
  if (given.from_stdin) given.files = {"-"};
  if (given.files.empty()) {
    std::fprintf(stderr, "usage: heap-inspect FILE... [--threads N] [--salvage] [--parse-only] [--top N] [--node ID]\n");
    std::exit(2);
  }
  return given;
}

HeapSource source_of(const Arguments& given, std::size_t file) {
  return {given.files[file], given.from_stdin ? Descriptor(0) : Descriptor()};
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

void write_measurements(JsonWriter& json, const Snapshot& snapshot) {
  const HeapGraph& graph = snapshot.graph;
  json.member("nodeCount", graph.node_count());
  json.member("edgeCount", graph.edge_count());
  json.member("stringCount", graph.strings.size());
  json.member("totalSelfBytes", graph.total_self_bytes());
  json.member("bytesPerNode", static_cast<double>(snapshot.node_bytes_held()) / graph.node_count());
  json.member("bytesPerEdge", static_cast<double>(snapshot.edge_bytes_held()) / std::max(1u, graph.edge_count()));
  json.member("bytesHeld", snapshot.bytes_held());
  json.object_member("seconds", [&] {
    for (const PhaseTime& phase : snapshot.phases) json.member(phase.name, phase.seconds);
  });
}

/** The answer, or nothing with --parse-only and --top 0. */
std::string inspect(JsonWriter& json, const Arguments& given, Progress& progress) {
  if (given.parse_only) {
    const auto start = std::chrono::steady_clock::now();
    const HeapGraph graph = parse_file(given.files[0], {given.reading.salvage}, Crew(given.reading.threads), progress);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    json.member("nodeCount", graph.node_count());
    json.member("edgeCount", graph.edge_count());
    json.member("parseSeconds", seconds.count());
    return {};
  }
  const ReadHeap heap(source_of(given, 0), given.reading, progress);
  json.member("analysisPeakResidentBytes", peak_resident_bytes());
  write_measurements(json, heap.snapshot);
  if (!given.nodes_csv.empty()) write_nodes_csv(heap, given.nodes_csv, progress);
  if (!given.classes_tsv.empty()) write_classes_tsv(heap.snapshot, given.classes_tsv);
  if (!given.redacted.empty()) write_redacted_snapshot(heap, source_of(given, 0), given.redacted, progress);
  if (given.node) return node_detail_json(heap, {.id = *given.node, .paths = given.top, .fields = given.top}, progress);
  return given.top == 0 ? std::string() : overview_json(heap, {.top = given.top, .entries_min = 100}, progress);
}

std::string compare(const Arguments& given, Progress& progress) {
  std::vector<HeapSource> sources;
  for (std::size_t file = 0; file < given.files.size(); ++file) sources.push_back(source_of(given, file));
  return diff_json(std::move(sources), given.reading, {.growers_max = given.top}, progress);
}

}  // namespace

int main(int count, char** values) {
  const Arguments given = read_arguments(count, values);
  Progress progress;
  JsonWriter json;
  try {
    std::string answer;
    json.object([&] {
      const auto start = std::chrono::steady_clock::now();
      answer = given.files.size() > 1 ? compare(given, progress) : inspect(json, given, progress);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      json.member("threads", Crew(given.reading.threads).threads());
      json.member("totalSeconds", seconds.count());
      json.member("peakResidentBytes", peak_resident_bytes());
    });
    const std::string& measured = json.written();
    std::fprintf(stdout, "%.*s,\"answer\":%s}\n", static_cast<int>(measured.size() - 1), measured.c_str(),
                 answer.empty() ? "null" : answer.c_str());
    return 0;
  } catch (const SnapshotError& error) {
    std::fprintf(stderr, "%s at byte %lld: %s: %s\n  fix: %s\n", error.code(),
                 static_cast<long long>(error.parts().byte_offset), error.parts().what.c_str(),
                 error.parts().why.c_str(), error.parts().fix.c_str());
    return 2;
  }
}
