#include "heap/query/redaction.h"

#include <functional>

#include "heap/base/sip_hash.h"
#include "heap/export/nodes_csv.h"
#include "heap/export/redacted_snapshot.h"
#include "heap/json/diff.h"
#include "heap/json/node_detail.h"
#include "heap/json/overview.h"
#include "heap/query/names.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/real_snapshots.h"
#include "test/native/heap/temporary_folder.h"
#include "test/native/heap/testing.h"

#if !defined(_WIN32)
#include <sys/resource.h>
#include <sys/stat.h>
#endif

using namespace crucible::heap;

namespace {

const Redaction kRedaction({1, 2});

/** scripts/native-heap-tests.mjs puts it into everything of a program that holds text. */
const std::string kPlanted = "planted secret";

bool has_planted(const std::string& text) { return text.find(kPlanted) != std::string::npos; }

void expect_equal(const Snapshot& a, const Snapshot& b) {
  EQUAL(a.graph.node_count(), b.graph.node_count());
  EQUAL(a.graph.edge_count(), b.graph.edge_count());
  for (const Node node : a.graph.all_nodes()) {
    TRUE(a.graph.nodes.id[node] == b.graph.nodes.id[node]);
    TRUE(a.graph.type(node) == b.graph.type(node));
    TRUE(a.graph.nodes.self_bytes[node] == b.graph.nodes.self_bytes[node]);
    TRUE(a.owned_bytes[node] == b.owned_bytes[node]);
    TRUE(a.retained_bytes[node] == b.retained_bytes[node]);
    TRUE(a.dominator[node] == b.dominator[node]);
    TRUE(a.distance[node] == b.distance[node]);
  }
  for (const Edge edge : a.graph.edges.type.keys()) {
    TRUE(a.graph.to(edge) == b.graph.to(edge));
    TRUE(a.graph.edges.type[edge] == b.graph.edges.type[edge]);
  }
}

void redact(const ReadHeap& heap, const std::string& original, const std::string& into) {
  Progress progress;
  write_redacted_snapshot(heap, {original, {}}, into, progress);
}

std::string code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const SnapshotError& error) {
    return error.code();
  }
  return "";
}

}  // namespace

TEST("SipHash-2-4 gives what its authors publish") {
  std::string text;
  for (char byte = 0; byte < 15; ++byte) text += byte;
  EQUAL(sip_hash({0x0706050403020100u, 0x0f0e0d0c0b0a0908u}, text), 0xa129ca6149be45e5u);
  EQUAL(sip_hash({0x0706050403020100u, 0x0f0e0d0c0b0a0908u}, ""), 0x726fdb47dd0e0e31u);
}

TEST("contents become their length and a hash, equal ones the same, and never with another key") {
  const std::string shown = kRedaction.content("user@example.com");
  EQUAL(shown.substr(0, 21), "<16 characters, hash ");
  EQUAL(shown.size(), 21u + 12 + 1);
  EQUAL(kRedaction.content("user@example.com"), shown);
  TRUE(kRedaction.content("user@example.org") != shown);
  TRUE(Redaction({1, 3}).content("user@example.com") != shown);
}

TEST("names stay if they look like identifiers, and V8's own words stay") {
  const auto name = [](const char* text) { return kRedaction.clean(text, Redaction::kName); };
  const auto label = [](const char* text) { return kRedaction.clean(text, Redaction::kLabel); };
  for (const char* const kept : {"sessions", "_events", "$el", "get size", "#private", "[Symbol.iterator]", "utf8",
                                 "<symbol kState>", "<symbol Symbol.toStringTag>", "system / Context", "Map Iterator",
                                 "Intl.DateTimeFormat", "new.target"})
    EQUAL(name(kept), kept);
  for (const char* const hidden : {"user@example.com", "4711471147114711", "order-17", "a b", "tok_12345", "get a b", "<symbol a b>",
                                   "abcdefghijabcdefghijabcdefghijabcdefghij1"})
    TRUE(name(hidden).starts_with('<') && name(hidden).find("hash") != std::string::npos);
  for (const char* const kept : {"system / Map (OneByteString)", "(GC roots)", "12 / CallProxy", "Node / std::basic_string",
                                 "(object elements)", "<div>", "100000"})
    EQUAL(label(kept), kept);
  TRUE(label("<div id=\"secret\">").find("secret") == std::string::npos);
  TRUE(label("Window / https://example.com/user").find("user") == std::string::npos);
  EQUAL(kRedaction.clean("/srv/app 1/server.js", Redaction::kScript), "/srv/app 1/server.js");
}

TEST("the entry of a WeakMap keeps its ids and loses its texts, and only as V8 writes it") {
  const std::string name = "7 / part of key (a secret @1) -> value (\"b secret @3) pair in WeakMap (table @5)";
  EQUAL(kRedaction.clean(name, Redaction::kInternal),
        "7 / part of key (key @1) -> value (value @3) pair in WeakMap (table @5)");
  TRUE(kRedaction.clean(name, Redaction::kName).find("secret") == std::string::npos);
  TRUE(kRedaction.clean("7 / part of key (a secret @1) -> val", Redaction::kInternal).find("secret") == std::string::npos);
}

TEST("the shape of a plain object keeps what is an identifier") {
  const std::string shown = kRedaction.class_name(R"({id, "a, \"secret\"", user@x, …, name})", NodeKind::kObject);
  EQUAL(shown, "{id, " + kRedaction.content("a, \"secret\"") + ", " + kRedaction.content("user@x") + ", …, name}");
  EQUAL(kRedaction.class_name("{}", NodeKind::kObject), "{}");
  EQUAL(kRedaction.class_name("{\"", NodeKind::kObject).find('"'), std::string::npos);
  EQUAL(kRedaction.class_name("(compiled code)", NodeKind::kCode), "(compiled code)");
}

TEST("nodes in a CSV are quoted, escaped and complete") {
  HeapBuilder heap;
  const auto named = heap.node("object", "=1+1,\"two\"\nlines\x1b[31m\xff", 100);
  heap.edge("property", "named", heap.global(), named);
  heap.node("string", "unreachable", 24);
  const TemporaryFolder folder;
  Progress progress;
  write_nodes_csv(read_heap(folder.write("a", heap.json())), folder.path("out.csv"), progress);
  EQUAL(read_text(folder.path("out.csv")),
        "id,type,name,self_bytes,retained_bytes,dominator_id,distance\n"
        "1,synthetic,\"\",0,164,,100000000\n"
        "3,object,\"global\",40,140,1,1\n"
        "5,object,\"=1+1,\"\"two\"\"\\u000alines\\u001b[31m\xEF\xBF\xBD\",100,100,3,2\n"
        "7,string,\"unreachable\",24,24,1,\n");
#if !defined(_WIN32)
  struct stat facts {};
  stat(folder.path("out.csv").c_str(), &facts);
  EQUAL(facts.st_mode & 0777, 0600u);
#endif
}

TEST("output that cannot be written is an error, leaves nothing behind and keeps what was there") {
  const TemporaryFolder folder;
  const ReadHeap heap = read_heap(folder.write("a", HeapBuilder().json()));
  Progress progress;
  EQUAL(code_of([&] { write_nodes_csv(heap, folder.path("no/such/folder.csv"), progress); }), "OUTPUT_UNWRITABLE");
  EQUAL(code_of([&] { write_nodes_csv(heap, folder.path(""), progress); }), "OUTPUT_UNWRITABLE");
#if defined(__linux__)
  EQUAL(code_of([&] { write_nodes_csv(heap, "/dev/full", progress); }), "OUTPUT_UNWRITABLE");
#endif
  folder.write("kept", "as it was");
  Progress cancelled;
  cancelled.cancel();
  EQUAL(code_of([&] { write_nodes_csv(heap, folder.path("kept"), cancelled); }), "INTERRUPTED");
  EQUAL(code_of([&] { redact(heap, folder.path("gone"), folder.path("kept")); }), "SNAPSHOT_UNREADABLE");
  EQUAL(read_text(folder.path("kept")), "as it was");
  EQUAL(folder.file_count(), 2u);
}

TEST("a redacted snapshot keeps names and references, whatever the order of its sections") {
  HeapBuilder heap;
  const auto key = heap.node("object", "Key", 16);
  const auto table = heap.node("array", "", 64);
  const auto value = heap.node("string", kPlanted, 100);
  heap.edge("property", "key", heap.global(), key);
  heap.edge("property", "a " + kPlanted, heap.global(), key);
  heap.edge("property", "table", heap.global(), table);
  heap.edge("property", "both", heap.global(), heap.node("string", "both", 16));
  heap.weak_map_entry(table, key, value);
  Layout strings_first;
  strings_first.sections = {"strings", "snapshot", "nodes", "edges", "locations"};
  Layout spaced;
  spaced.space = " ";
  for (const Layout& layout : {Layout(), strings_first, spaced}) {
    const TemporaryFolder folder;
    const std::string original = folder.write("a", heap.json(layout));
    const ReadHeap read = read_heap(original);
    redact(read, original, folder.path("b"));
    TRUE(has_planted(read_text(original)));
    TRUE(!has_planted(read_text(folder.path("b"))));
    const ReadHeap again = read_heap(folder.path("b"));
    expect_equal(read.snapshot, again.snapshot);
    EQUAL(again.snapshot.graph.ephemerons.pair_count(), 1u);
    const Names names(again.snapshot.graph);
    EQUAL(names.node(Node{key}), "Key");
    EQUAL(names.content(Node{value}), Redaction::of_this_process().content(kPlanted));
    // One text, which is a property's name as well.
    EQUAL(names.content(Node{value + 1}), "both");
  }
}

TEST("nothing of a file that was changed, or that is damaged, is passed on as redacted") {
  HeapBuilder heap;
  heap.edge("property", "text", heap.global(), heap.node("string", "first text", 16));
  const TemporaryFolder folder;
  const std::string path = folder.write("a", heap.json());
  const ReadHeap read = read_heap(path);
  std::string changed = heap.json();
  changed.replace(changed.find("first"), 5, "other");
  folder.write("a", changed);
  EQUAL(code_of([&] { redact(read, path, folder.path("b")); }), "SNAPSHOT_UNREADABLE");
  folder.write("a", changed.substr(0, changed.size() - 10));
  EQUAL(code_of([&] { redact(read, path, folder.path("b")); }), "SNAPSHOT_UNREADABLE");
  Progress progress;
  const ReadHeap damaged({path, {}}, {.salvage = true, .threads = 1}, progress);
  EQUAL(code_of([&] { redact(damaged, path, folder.path("b")); }), "SNAPSHOT_TRUNCATED");
  EQUAL(folder.file_count(), 1u);
}

namespace {

const std::vector<std::string>& planted_snapshots() {
  if (real_snapshot_paths().size() < 3) throw testing::Skipped("no snapshots were given");
  return real_snapshot_paths();
}

/** Every answer about a real heap: all lists in full, and the planted objects and their holders one by one. */
std::vector<std::string> all_answers(const std::string& path, bool redacted) {
  const TemporaryFolder folder;
  Progress progress;
  const ReadHeap heap = read_heap(path, redacted);
  const HeapGraph& graph = heap.snapshot.graph;
  std::vector<std::string> answers{overview_json(heap, {.top = 100'000, .entries_min = 1}, progress)};
  write_nodes_csv(heap, folder.path("nodes.csv"), progress);
  answers.push_back(read_text(folder.path("nodes.csv")));
  std::string details;
  const Names names(graph);
  std::size_t asked = 0;
  for (const Node node : graph.all_nodes()) {
    bool is_near = has_planted(names.bare(node));
    for (const Edge edge : graph.edges_of(node)) is_near |= has_planted(names.bare(edge));
    if (is_near && ++asked <= 40) details += node_detail_json(heap, {.id = graph.nodes.id[node]}, progress);
  }
  answers.push_back(details);
  return answers;
}

std::string all_differences(const std::vector<std::string>& files, bool redacted) {
  Progress progress;
  std::vector<HeapSource> sources;
  for (const std::string& file : files) sources.push_back({file, {}});
  return diff_json(std::move(sources), {.threads = 2, .redact = redacted},
                   {.growers_max = 1000, .growth_max = 1000, .paths_max = 1000}, progress);
}

}  // namespace

TEST("no text of a real program is in any redacted answer, and is in all of them otherwise") {
  const std::string& path = planted_snapshots()[0];
  for (const std::string& answer : all_answers(path, false)) TRUE(has_planted(answer));
  for (const std::string& answer : all_answers(path, true)) {
    TRUE(!has_planted(answer));
    TRUE(answer.size() > 1000);
  }
  TRUE(has_planted(all_differences(planted_snapshots(), false)));
  TRUE(!has_planted(all_differences(planted_snapshots(), true)));
}

TEST("the redacted file of a real heap has none of the program's texts and the same numbers for every node") {
  const std::string& path = planted_snapshots()[0];
  const TemporaryFolder folder;
  const ReadHeap read = read_heap(path);
  redact(read, path, folder.path("b"));
  TRUE(!has_planted(read_text(folder.path("b"))));
  const ReadHeap again = read_heap(folder.path("b"));
  expect_equal(read.snapshot, again.snapshot);
  const Names before(read.snapshot.graph);
  const Names after(again.snapshot.graph);
  std::size_t kept = 0;
  for (const Node node : read.snapshot.graph.all_nodes())
    kept += read.snapshot.graph.kind(node) != NodeKind::kString && before.bare(node) == after.bare(node);
  // Names of functions, classes and V8's own objects, all but a handful.
  TRUE(kept > read.snapshot.graph.node_count() / 2);
}
