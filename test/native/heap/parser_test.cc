#include <cstdio>
#include <cstdlib>
#include <random>
#include <unistd.h>

#include "heap/parse/file_parser.h"
#include "heap/parse/parallel_rows.h"
#include "heap/query/names.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

HeapBuilder small_heap() {
  HeapBuilder heap;
  const auto cache = heap.node("object", "Map", 32);
  const auto table = heap.node("array", "", 5'000'000'000);
  const auto session = heap.node("object", "Session \"quoted\" \\ ]}", 48, 9'007'199'254'740'993u);
  const auto handler = heap.node("closure", "handler", 64);
  heap.edge("property", "cache", heap.global(), cache);
  heap.edge("internal", "table", cache, table);
  heap.edge("internal", "17", table, session);
  heap.edge("element", 4'000'000, table, handler);
  heap.edge("telepathic", "knows", handler, session);
  heap.location(handler, 30, 41, 7);
  return heap;
}

/** Everything that a graph says, so that two readings can be compared. */
std::string describe(const HeapGraph& graph) {
  std::string text;
  for (const Node node : graph.all_nodes()) {
    text += graph.meta.node_type_names[graph.type(node)] + " " + graph.strings.decode(graph.name(node)) + " @" +
            std::to_string(graph.nodes.id[node]) + " " + std::to_string(graph.nodes.self_bytes[node]);
    if (const auto location = graph.locations.of(node))
      text += " at " + std::to_string(location->script_id) + ":" + std::to_string(location->line) + ":" +
              std::to_string(location->column);
    for (const Edge edge : graph.edges_of(node))
      text += " " + graph.meta.edge_type_names[graph.edges.type[edge]] + " " + Names(graph).bare(edge) + "->" +
              std::to_string(graph.to(edge).value);
    text += "\n";
  }
  return text;
}

const char* const kSmallHeap =
    "synthetic  @1 0 shortcut global->1\n"
    "object global @3 40 property cache->2\n"
    "object Map @5 32 internal table->3\n"
    "array  @7 5000000000 internal 17->4 element 4000000->5\n"
    "object Session \"quoted\" \\ ]} @9007199254740993 48\n"
    "closure handler @11 64 at 30:41:7 telepathic knows->4\n";

std::string write_file(const std::string& json) {
  char path[] = "/tmp/crucible-heap-XXXXXX";
  const int file = mkstemp(path);
  TRUE(file >= 0);
  TRUE(write(file, json.data(), json.size()) == static_cast<ssize_t>(json.size()));
  close(file);
  return path;
}

std::string read_from_file(const std::string& json, unsigned threads) {
  const std::string path = write_file(json);
  Progress progress;
  std::string text;
  try {
    text = describe(parse_file(path, {}, Crew(threads), progress));
  } catch (...) {
    std::remove(path.c_str());
    throw;
  }
  std::remove(path.c_str());
  return text;
}

/**
 * What a reading gives, in words: by a stream if `threads` is zero. A stream
 * cannot look again for the place of what is only wrong in the whole.
 */
std::string outcome_of(const std::string& json, unsigned threads) {
  try {
    return threads == 0 ? describe(parse_text(json)) : read_from_file(json, threads);
  } catch (const SnapshotError& error) {
    const std::string code = error.code();
    const bool placed = code != "SNAPSHOT_DUPLICATE_ID" && code != "SNAPSHOT_INDEX";
    return code + (placed ? " at byte " + std::to_string(error.parts().byte_offset) : "") + ": " + error.what();
  }
}

/** With rows for several of the blocks that threads take, and indices that no short column holds. */
std::string large_heap() {
  HeapBuilder heap;
  std::vector<std::uint32_t> nodes;
  for (int at = 0; at < 30'000; ++at) nodes.push_back(heap.node("object", "Thing" + std::to_string(at % 7), 16 + at));
  for (const std::uint32_t node : nodes) heap.edge("element", 16'777'000 + 15 * node, heap.global(), node);
  heap.edge("element", 4'294'967'294, heap.global(), nodes[0]);
  // Not in the order of the nodes, and one of them twice.
  for (const std::uint32_t node : nodes) heap.location(nodes[node * 7919 % nodes.size()], 30, 1'000'000 + node, node % 100);
  std::string json = heap.json();
  for (const char* section : {"\"edges\":[", "\"locations\":["})
    TRUE(json.find(']', json.find(section)) - json.find(section) > 2 * ParallelRows<EdgeRows>::kBlock);
  return json;
}

}  // namespace

TEST("a snapshot in the layout of Node 20 is read with 64-bit sizes and ids, and unknown types survive") {
  EQUAL(describe(small_heap().graph()), kSmallHeap);
}

TEST("an index that V8 wrote as a negative number is read as the large one that it means, however the file is read") {
  const std::string positive = large_heap();
  for (const auto& [index, written] : {std::pair{"4294967294", "-2"}, std::pair{"2147483648", "-2147483648"}}) {
    std::string expected = positive;
    expected.replace(expected.find("4294967294"), 10, index);
    std::string json = positive;
    json.replace(json.find("4294967294"), 10, written);
    for (const unsigned threads : {0u, 1u, 2u}) EQUAL(outcome_of(json, threads), outcome_of(expected, threads));
  }
}

TEST("a snapshot in the layout of Node 24, on one line and without trace_node_id, says the same") {
  Layout layout;
  layout.node_fields = {"type", "name", "id", "self_size", "edge_count", "detachedness"};
  layout.row_separator = "";
  EQUAL(describe(small_heap().graph(layout)), kSmallHeap);
}

TEST("columns may come in any order, and unknown columns are passed over") {
  Layout layout;
  layout.node_fields = {"weight", "edge_count", "id", "type", "mood", "self_size", "name"};
  layout.edge_fields = {"to_node", "colour", "type", "name_or_index"};
  layout.location_fields = {"script_id", "script_object_index", "column", "line", "object_index"};
  EQUAL(describe(small_heap().graph(layout)), kSmallHeap);
}

TEST("sections may come in any order, before the columns are known as well") {
  Layout layout;
  layout.sections = {"strings", "locations", "edges", "trace_tree", "nodes", "snapshot", "samples"};
  EQUAL(describe(small_heap().graph(layout)), kSmallHeap);
}

TEST("unknown sections are passed over, whatever brackets they contain") {
  Layout layout;
  layout.sections = {"scopes", "snapshot", "nodes", "scope_uses", "edges", "locations", "strings", "more"};
  EQUAL(describe(small_heap().graph(layout)), kSmallHeap);
}

TEST("a byte order mark and any white space are allowed") {
  Layout layout;
  layout.before = "\xEF\xBB\xBF \n";
  layout.space = " \r\n\t  ";
  EQUAL(describe(small_heap().graph(layout)), kSmallHeap);
}

TEST("a snapshot may arrive in pieces of any size") {
  const std::string json = small_heap().json();
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 31u, 64u, 1000u}) {
    SnapshotParser parser;
    for (std::size_t at = 0; at < json.size(); at += piece) parser.feed(json.data() + at, std::min(piece, json.size() - at));
    EQUAL(describe(parser.finish()), kSmallHeap);
  }
}

TEST("names of sections inside strings are strings") {
  HeapBuilder heap;
  const auto trap = heap.node("string", "\"strings\":[\"nodes\":[1,2,3]}", 20);
  heap.edge("property", "],\"edges\":[0", heap.global(), trap);
  EQUAL(describe(heap.graph()),
        "synthetic  @1 0 shortcut global->1\n"
        "object global @3 40 property ],\"edges\":[0->2\n"
        "string \"strings\":[\"nodes\":[1,2,3]} @5 20\n");
}

TEST("__proto__ and constructor are names like any other") {
  HeapBuilder heap;
  const auto odd = heap.node("object", "__proto__", 24);
  heap.edge("property", "constructor", heap.global(), odd);
  const Snapshot snapshot = heap.analysed();
  EQUAL(snapshot.classes.text(snapshot.graph, snapshot.classes.of(Node{odd})), "__proto__");
}

TEST("escapes are decoded, and a lone surrogate becomes the replacement character") {
  HeapBuilder heap;
  heap.edge("property", "name", heap.global(), heap.node("string", "PLACE", 20));
  std::string json = heap.json();
  json.replace(json.find("PLACE"), 5, R"(a\u00e9\ud83d\ude00\ud800\n\/)");
  const HeapGraph graph = parse_text(json);
  EQUAL(graph.strings.decode(graph.name(Node{2})), "a\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\n/");
}

TEST("a file is read the same by one thread, by several and as a stream") {
  const std::string json = large_heap();
  const std::string expected = describe(parse_text(json));
  EQUAL(read_from_file(json, 1), expected);
  EQUAL(read_from_file(json, 2), expected);
  EQUAL(read_from_file(json, 5), expected);
}

TEST("a byte that is wrong anywhere in the rows is refused by threads as it is by a stream") {
  const std::string json = small_heap().json();
  const std::size_t end = json.find("\"strings\"");
  for (std::size_t at = json.find("\"nodes\""); at < end; ++at) {
    for (const char wrong : {',', '\n', ' ', ']', '-', 'x', '5', '\x99', '\0'}) {
      std::string damaged = json;
      damaged[at] = wrong;
      EQUAL(outcome_of(damaged, 2), outcome_of(damaged, 0));
    }
  }
}

TEST("a byte that is wrong where the blocks of two threads meet is found as well") {
  const std::string json = large_heap();
  for (const std::string section : {"\"edges\":[", "\"locations\":["}) {
    const std::size_t seam = json.find(section) + section.size() + ParallelRows<EdgeRows>::kBlock;
    for (std::size_t at = seam - 4; at < seam + 4; ++at) {
      for (const char wrong : {',', '\n', ' ', ']', '7'}) {
        std::string damaged = json;
        damaged[at] = wrong;
        EQUAL(outcome_of(damaged, 2), outcome_of(damaged, 0));
      }
    }
  }
}

TEST("a pretty-printed file, which threads refuse, is read by the sequential reader") {
  Layout layout;
  layout.space = "  ";
  EQUAL(read_from_file(small_heap().json(layout), 2), kSmallHeap);
}

TEST("of a file with places that are none, threads and a stream salvage the same") {
  HeapBuilder heap;
  for (int at = 0; at < 100; ++at) heap.location(heap.node("object", "Thing", 16), 30, at, 7);
  std::string json = heap.json();
  const std::size_t place = json.find("\"locations\":[");
  json.replace(json.find(",30,50,7", place) - 1, 1, "1");
  Progress progress;
  const std::string path = write_file(json);
  const std::string by_threads = describe(parse_file(path, {.salvage = true}, Crew(2), progress));
  std::remove(path.c_str());
  EQUAL(by_threads, describe(parse_text(json, true)));
  TRUE(by_threads.find("30:49:7") != std::string::npos && by_threads.find("30:50:7") == std::string::npos);
}

TEST("how long a name is in a list of names is known without making the list") {
  std::mt19937 random(7);
  const std::string parts[] = {"a", ",", "\"", "'", "{", "\\", "\n", "\t", "\x01", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint32_t left = random() % 12; left > 0; --left) text += parts[random() % (round % 2 == 0 ? std::size(parts) : 1)];
    StringTable strings;
    strings.append(0, text);
    EQUAL(strings.label_length(Text{0}), utf16_length(label_of(text)));
  }
  StringTable strings;
  strings.append(0, std::string(200'000, 'a'));
  EQUAL(strings.label_length(Text{0}), 65'535u);
}

TEST("allocation stacks and samples of a heap timeline are kept, however deep the tree") {
  HeapBuilder heap;
  const auto made = heap.node("object", "Request", 32);
  heap.edge("property", "last", heap.global(), made);
  heap.traced(made, 20'000);
  heap.trace_function_infos = "[0,1,1,0,0,0,\n7,1,1,30,41,9]";
  std::string tree;
  std::string close;
  for (int depth = 1; depth <= 20'000; ++depth) {
    tree += "[" + std::to_string(depth) + ",1,2,48,";
    close += "]";
  }
  heap.trace_tree = tree + "[]" + close;
  heap.samples = "[10,3,20,5]";
  const HeapGraph graph = heap.graph();
  EQUAL(graph.traces.nodes.size(), 20'000u);
  const auto stack = graph.traces.stack_of(graph.nodes.trace_node[Node{made}]);
  EQUAL(stack.size(), 20'000u);
  EQUAL(stack[0]->location.line, 40u);
  EQUAL(graph.samples.size(), 2u);
  EQUAL(graph.samples[1].last_assigned_id, 5u);
}

TEST("strings that came through a pipe are spooled and can be decoded later") {
  SpooledBytes spool(16);
  spool.append("0123456789", 10);
  spool.append("abcdefghij", 10);
  char out[8] = {};
  EQUAL(spool.read_at(8, out, 4), 4u);
  EQUAL(std::string(out, 4), "89ab");
  EQUAL(spool.read_at(18, out, 8), 2u);
  EQUAL(spool.bytes_held(), 0u);
}
