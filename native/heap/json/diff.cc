#include "heap/json/diff.h"

#include <algorithm>
#include <optional>

#include "heap/compare/growth.h"
#include "heap/compare/heap_diff.h"
#include "heap/json/heap_writer.h"

namespace crucible::heap {

namespace {

const char* noise_name(Noise noise) { return noise == Noise::kCompiler ? "compiler" : "embedder"; }

/** What stays of the snapshots before the last. */
struct Earlier {
  std::vector<SnapshotFacts> facts;
  std::optional<DiffBase> base;
  ScriptNames first_scripts;
  GrowthTracker growth;
};

class DiffWriter {
 public:
  DiffWriter(JsonWriter& json, const Earlier& earlier, const Snapshot& last, const Redaction* redaction)
      : json_(json),
        earlier_(earlier),
        last_(last),
        graph_(last.graph),
        scripts_(last.graph),
        writer_(json, last, scripts_, redaction) {}

  void run(const HeapDiff& diff, const DiffOptions& options, Progress& progress) {
    const bool one_process = diff.is_one_process();
    json_.array_member("snapshots", [&] {
      for (const SnapshotFacts& facts : earlier_.facts) write_facts(json_, facts);
    });
    json_.member("isOneProcess", one_process);
    write_balance(one_process ? diff.balance : balance_of_strangers(*earlier_.base, graph_));
    write_classes(one_process ? diff.classes : diff_classes(*earlier_.base, last_), one_process);
    json_.array_member("growers", [&] {
      if (!one_process) return;
      for (const Grower& grower : diff.growers) write_grower(grower);
    });
    json_.array_member("growth", [&] {
      if (earlier_.facts.size() < 3) return;
      const GrowthOptions growing{.groups_max = options.growth_max};
      for (const Growth& growth : earlier_.growth.finish(last_, writer_.names(), growing, progress)) write_growth(growth);
    });
    json_.array_member("paths", [&] {
      if (one_process) return;
      const PathDiff paths = diff_paths(earlier_.growth.first(), earlier_.growth.last(), last_, writer_.names(), options.paths_max);
      for (const PathDelta& path : paths.paths) write_path(path);
    });
  }

 private:
  void write_balance(const Balance& balance) {
    json_.object_member("balance", [&] {
      json_.member("deltaBytes", balance.delta_bytes);
      json_.member("newBytes", balance.new_bytes);
      json_.member("deletedBytes", balance.deleted_bytes);
      json_.member("survivorDeltaBytes", balance.survivor_delta_bytes);
      json_.member("residualBytes", balance.residual_bytes());
      json_.member("newCount", balance.new_count);
      json_.member("deletedCount", balance.deleted_count);
      json_.member("survivorCount", balance.survivor_count);
    });
  }

  void write_classes(const std::vector<ClassDelta>& classes, bool one_process) {
    json_.array_member("classes", [&] {
      for (const ClassDelta& row : classes) {
        const bool changed = row.delta_count() != 0 || row.delta_bytes() != 0 || row.retained_delta_bytes != 0;
        // Between strangers all objects of a class go and come: that alone is no change.
        if (!one_process && !changed) continue;
        json_.object([&] { write_class(row); });
      }
    });
  }

  void write_class(const ClassDelta& row) {
    json_.member("name", writer_.names().class_name(row.name, row.kind));
    json_.name("place");
    // Numbers of scripts are those of the process in which the class was last seen.
    const bool of_first = row.location && (row.is_only_in_first || !scripts_.has(row.location->script_id));
    write_place(json_, of_first ? earlier_.first_scripts : scripts_, row.location);
    write_noise(row.noise);
    json_.member("addedCount", row.added_count);
    json_.member("removedCount", row.removed_count);
    json_.member("addedBytes", row.added_bytes);
    json_.member("removedBytes", row.removed_bytes);
    json_.member("survivorDeltaBytes", row.survivor_delta_bytes);
    json_.member("deltaCount", row.delta_count());
    json_.member("deltaBytes", row.delta_bytes());
    json_.member("retainedDeltaBytes", row.retained_delta_bytes);
  }

  void write_noise(Noise noise) {
    json_.name("noise");
    if (noise == Noise::kSignal) json_.null();
    else json_.value(noise_name(noise));
  }

  void write_grower(const Grower& grower) {
    json_.object([&] {
      json_.member("id", grower.id);
      json_.member("name", writer_.names().node(grower.node));
      json_.member("className", writer_.names().of(last_.classes, last_.classes.of(grower.node)));
      write_noise(grower.is_v8s_own ? Noise::kCompiler : Noise::kSignal);
      writer_.place_of(grower.node);
      writer_.shortest_path("path", grower.node);
      json_.member("ownedDeltaBytes", grower.owned_delta_bytes);
      json_.member("deltaEntries", grower.delta_entries);
      json_.member("entries", grower.entries);
      json_.member("retainedBytes", last_.retained_bytes[grower.node]);
      json_.member("retainedDeltaBytes", grower.retained_delta_bytes);
    });
  }

  void write_growth(const Growth& growth) {
    json_.object([&] {
      json_.member("fingerprint", growth.fingerprint);
      json_.member("path", growth.path);
      json_.member("className", writer_.names().of(last_.classes, growth.class_of_entries));
      write_noise(growth.is_v8s_own ? Noise::kCompiler : Noise::kSignal);
      if (growth.sample_entry == kNo<Node>) json_.null_member("sampleId");
      else json_.member("sampleId", graph_.nodes.id[growth.sample_entry]);
      writer_.place("place", place_of_entries(growth));
      json_.array_member("deltaCounts", [&] {
        for (const std::int64_t count : growth.delta_counts) json_.value(count);
      });
      json_.array_member("deltaBytes", [&] {
        for (const std::int64_t bytes : growth.delta_bytes) json_.value(bytes);
      });
      json_.member("shareBytes", growth.share_bytes);
      json_.member("exclusiveBytes", growth.exclusive_bytes);
    });
  }

  [[nodiscard]] std::optional<Location> place_of_entries(const Growth& growth) const {
    if (growth.sample_entry != kNo<Node>)
      if (const auto location = graph_.locations.of(growth.sample_entry)) return location;
    return last_.classes.name(growth.class_of_entries).location;
  }

  void write_path(const PathDelta& path) {
    json_.object([&] {
      json_.member("fingerprint", path.fingerprint);
      json_.member("path", path.path);
      json_.member("className", writer_.names().of(last_.classes, path.class_of_objects));
      json_.member("deltaCount", path.delta_count);
      json_.member("deltaBytes", path.delta_bytes);
    });
  }

  JsonWriter& json_;
  const Earlier& earlier_;
  const Snapshot& last_;
  const HeapGraph& graph_;
  const ScriptNames scripts_;
  HeapWriter writer_;
};

/** Nothing if the paths turn out to be needed, and were not wanted. */
std::optional<std::string> compare(std::vector<HeapSource>& sources, const ReadOptions& reading,
                                   const DiffOptions& options, bool with_paths, Progress& progress) {
  Earlier earlier;
  const Crew crew(reading.threads);
  for (std::size_t at = 0; at < sources.size(); ++at) {
    progress.file(static_cast<std::uint32_t>(at + 1), static_cast<std::uint32_t>(sources.size()));
    AnalysisOptions analysis;
    if (earlier.base) analysis.interfaces = earlier.base->interfaces;
    const Snapshot snapshot = read_source(sources[at], reading, std::move(analysis), progress);
    progress.enter(Phase::kComparing);
    earlier.facts.emplace_back(sources[at].path, snapshot.graph);
    if (at == 0) {
      earlier.base = make_diff_base(snapshot, crew, progress);
      earlier.first_scripts = ScriptNames(snapshot.graph);
    }
    if (with_paths && (at == 0 || sources.size() > 2)) earlier.growth.add(snapshot, progress);
    if (at + 1 != sources.size()) continue;
    const HeapDiff diff = diff_heaps(*earlier.base, snapshot, options.growers_max, crew, progress);
    if (!diff.is_one_process()) {
      if (!with_paths) return std::nullopt;
      if (earlier.growth.snapshot_count() == 1) earlier.growth.add(snapshot, progress);
    }
    JsonWriter json;
    const Redaction* const redaction = reading.redact ? &Redaction::of_this_process() : nullptr;
    json.object([&] { DiffWriter(json, earlier, snapshot, redaction).run(diff, options, progress); });
    progress.enter(Phase::kDone);
    return json.take();
  }
  throw SnapshotError("USAGE", {kNoOffset, "there is nothing to compare", "a comparison needs two snapshots or more",
                                "give the files in the order in which they were taken"});
}

}  // namespace

std::string diff_json(std::vector<HeapSource> sources, const ReadOptions& reading, const DiffOptions& options,
                      Progress& progress) {
  const bool are_files = std::none_of(sources.begin(), sources.end(),
                                      [](const HeapSource& source) { return source.descriptor.is_open(); });
  // Two processes can be compared by paths alone, and that they are two is known at the end. They seldom are, and files can be read again.
  const bool with_paths = sources.size() != 2 || !are_files;
  std::optional<std::string> answer = compare(sources, reading, options, with_paths, progress);
  if (!answer) answer = compare(sources, reading, options, true, progress);
  return std::move(*answer);
}

}  // namespace crucible::heap
