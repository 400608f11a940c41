#include "heap/json/diff.h"
#include "heap/json/json_writer.h"
#include "heap/json/node_detail.h"
#include "heap/json/overview.h"
#include "heap/parse/json_value.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/temporary_folder.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

/** Fails unless the text is one JSON document of valid UTF-8 without control characters. */
JsonValue checked(const std::string& json) {
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t length = utf8_length(std::string_view(json).substr(at));
    TRUE(length != 0);
    const auto byte = static_cast<unsigned char>(json[at]);
    TRUE(byte >= 0x20 && byte != 0x7F);
    TRUE(length != 2 || byte != 0xC2 || static_cast<unsigned char>(json[at + 1]) >= 0xA0);
    at += length;
  }
  return parse_json(json, 0);
}

const JsonValue& member(const JsonValue& object, const std::string& name) {
  const JsonValue* const found = object.find(name);
  if (found == nullptr) throw std::runtime_error("no member " + name);
  return *found;
}

std::string text(const JsonValue& object, const std::string& name) { return member(object, name).text; }
double number(const JsonValue& object, const std::string& name) { return member(object, name).number; }
bool is_null(const JsonValue& object, const std::string& name) { return member(object, name).kind == JsonValue::Kind::kNull; }

JsonValue detail(const ReadHeap& heap, std::uint64_t id) {
  Progress progress;
  return checked(node_detail_json(heap, {.id = id}, progress));
}

JsonValue diff(const std::vector<std::string>& files) {
  Progress progress;
  std::vector<HeapSource> sources;
  for (const std::string& file : files) sources.push_back({file, {}});
  return checked(diff_json(std::move(sources), {.threads = 1}, {}, progress));
}

const char* const kHostile[] = {"__proto__", "quote \" and \\ backslash", "line\nfeed", "bell\x07 and escape\x1b[31m",
                                "\x7f delete", "\xc2\x9b" "31m", "broken \xff\xfe bytes", "cut off \xe2\x82",
                                "overlong \xc0\xaf", "</script>", "{a, b}", "constructor", ""};

}  // namespace

TEST("answers are valid JSON whatever the names in the file are") {
  HeapBuilder heap;
  for (const char* const type : {"object", "string", "closure", "native", "array", "symbol", "code", "regexp"}) {
    for (const char* const name : kHostile) {
      const auto node = heap.node(type, name, 100);
      heap.edge("property", name, heap.global(), node);
      heap.edge("internal", name, node, heap.node("string", name, 40));
    }
  }
  const TemporaryFolder folder;
  std::string json = heap.json();
  for (std::size_t at; (at = json.find("</script>")) != std::string::npos;) json.replace(at, 9, "\\ud800 lone \\u0000");
  const ReadHeap read = read_heap(folder.write("a", json));
  Progress progress;
  const JsonValue overview = checked(overview_json(read, {.top = 1000, .entries_min = 1}, progress));
  EQUAL(member(overview, "duplicateStrings").items.empty(), false);
  for (std::uint32_t node = 0; node < heap.node_count(); ++node) (void)detail(read, heap.id(node));
  (void)diff({folder.path("a"), folder.write("b", heap.json())});
}

TEST("sizes and ids beyond 53 bits are written digit by digit") {
  HeapBuilder heap;
  const auto big = heap.node("object", "Big", 9'007'199'254'740'993u, 9'007'199'254'740'995u);
  heap.edge("property", "big", heap.global(), big);
  const TemporaryFolder folder;
  Progress progress;
  const std::string json = overview_json(read_heap(folder.write("a", heap.json())), {}, progress);
  TRUE(json.find("\"selfBytes\":9007199254740993") != std::string::npos);
  TRUE(json.find("\"id\":9007199254740995") != std::string::npos);
}

TEST("the overview counts types and what nothing reaches, and gives every object its path") {
  HeapBuilder heap;
  const auto cache = heap.node("object", "Cache", 500);
  heap.edge("property", "cache", heap.global(), cache);
  heap.location(cache, 7, 11, 3);
  heap.node("string", "lost", 24);
  const TemporaryFolder folder;
  Progress progress;
  const JsonValue overview = checked(overview_json(read_heap(folder.write("a", heap.json())), {}, progress));
  EQUAL(number(member(overview, "snapshot"), "nodeCount"), 4.0);
  EQUAL(number(member(overview, "unreachable"), "count"), 1.0);
  EQUAL(number(member(overview, "unreachable"), "selfBytes"), 24.0);
  EQUAL(text(member(overview, "types").items.at(0), "type"), "object");
  EQUAL(number(member(overview, "types").items.at(0), "selfBytes"), 540.0);
  const JsonValue& object = member(overview, "objects").items.at(0);
  EQUAL(text(object, "name"), "Cache");
  EQUAL(number(member(object, "place"), "line"), 12.0);
  EQUAL(number(member(object, "place"), "column"), 4.0);
  const JsonValue& retainer = member(overview, "retainers").items.at(0);
  EQUAL(text(retainer, "name"), "global");
  EQUAL(text(member(retainer, "path").items.at(0), "edge"), ".global");
}

TEST("the middle of a path of thousands of references is one step that says how many it stands for") {
  HeapBuilder heap;
  auto before = heap.global();
  for (int link = 0; link < 5000; ++link) {
    const auto node = heap.node("object", "Link", 16);
    heap.edge("property", "next", before, node);
    before = node;
  }
  const auto id = heap.id(before);
  const TemporaryFolder folder;
  const JsonValue answer = detail(read_heap(folder.write("a", heap.json())), id);
  const JsonValue& path = member(answer, "shortestPath");
  EQUAL(path.items.size(), 201u);
  std::size_t left_out = 0;
  for (const JsonValue& step : path.items)
    if (text(step, "edge").starts_with("… ")) left_out = std::stoul(text(step, "edge").substr(4));
  // One more than there are links: the way begins with the reference to the global object.
  EQUAL(left_out + 200, 5001u);
  EQUAL(number(path.items.back(), "id"), static_cast<double>(id));
}

TEST("a node's answer has its dominator, its fields and holders by retained size, and what its removal frees") {
  HeapBuilder heap;
  const auto owner = heap.node("object", "Owner", 16);
  const auto small = heap.node("object", "Small", 10);
  const auto large = heap.node("object", "Large", 900);
  heap.edge("property", "owner", heap.global(), owner);
  heap.edge("property", "small", owner, small);
  heap.edge("property", "large", owner, large);
  heap.edge("property", "again", owner, large);
  heap.edge("property", "also", heap.global(), small);
  const TemporaryFolder folder;
  const ReadHeap read = read_heap(folder.write("a", heap.json()));
  const JsonValue answer = detail(read, heap.id(owner));
  EQUAL(number(member(answer, "node"), "retainedBytes"), 916.0);
  EQUAL(text(member(answer, "dominator"), "name"), "global");
  EQUAL(number(answer, "fieldCount"), 3.0);
  EQUAL(text(member(answer, "fields").items.at(0), "name"), "Large");
  EQUAL(text(member(answer, "fields").items.at(2), "name"), "Small");
  EQUAL(number(answer, "holderCount"), 1.0);
  EQUAL(number(member(answer, "ifRemoved"), "freedObjects"), 2.0);
  EQUAL(number(member(answer, "ifRemoved"), "freedBytes"), 916.0);
  TRUE(is_null(answer, "collection"));
  const JsonValue held = detail(read, heap.id(large));
  EQUAL(member(held, "holders").items.size(), 2u);
  EQUAL(text(member(held, "holders").items.at(1), "edge"), ".again");
  TRUE(is_null(detail(read, heap.id(0)), "dominator"));
}

TEST("a value that a WeakMap holds names the table and the key, and nothing else does") {
  HeapBuilder heap;
  const auto key = heap.node("object", "Key", 16);
  const auto table = heap.node("array", "", 64);
  const auto value = heap.node("object", "Value", 100);
  heap.edge("property", "key", heap.global(), key);
  heap.edge("property", "table", heap.global(), table);
  heap.weak_map_entry(table, key, value);
  const TemporaryFolder folder;
  const ReadHeap read = read_heap(folder.write("a", heap.json()));
  const JsonValue answer = detail(read, heap.id(value));
  const auto& entries = member(answer, "weakMapEntries").items;
  EQUAL(entries.size(), 1u);
  EQUAL(number(entries[0], "tableId"), static_cast<double>(heap.id(table)));
  EQUAL(number(entries[0], "keyId"), static_cast<double>(heap.id(key)));
  EQUAL(member(detail(read, heap.id(key)), "weakMapEntries").items.size(), 0u);
}

TEST("the stack that allocated an object starts at the allocating function and counts from one") {
  HeapBuilder heap;
  const auto made = heap.node("object", "Made", 16);
  heap.edge("property", "made", heap.global(), made);
  const auto name = heap.node("string", "inner", 16);
  const auto outer = heap.node("string", "outer", 16);
  heap.edge("property", "a", heap.global(), name);
  heap.edge("property", "b", heap.global(), outer);
  heap.traced(made, 3);
  const HeapGraph graph = heap.graph();
  const std::string inner_text = std::to_string(graph.name(Node{name}).value);
  const std::string outer_text = std::to_string(graph.name(Node{outer}).value);
  heap.trace_function_infos = "[1," + outer_text + "," + outer_text + ",5,10,3,2," + inner_text + "," + inner_text + ",5,20,7]";
  heap.trace_tree = "[1,0,0,0,[2,0,1,1,[3,1,1,16,[]]]]";
  const TemporaryFolder folder;
  const JsonValue answer = detail(read_heap(folder.write("a", heap.json())), heap.id(made));
  const auto& stack = member(answer, "allocationStack").items;
  TRUE(stack.size() >= 2);
  EQUAL(text(stack[0], "functionName"), "inner");
  EQUAL(number(member(stack[0], "place"), "line"), 20.0);
  EQUAL(number(member(stack[0], "place"), "column"), 7.0);
  EQUAL(text(stack[1], "functionName"), "outer");
}

TEST("an id that the snapshot has not is an error that names it") {
  const TemporaryFolder folder;
  const ReadHeap read = read_heap(folder.write("a", HeapBuilder().json()));
  Progress progress;
  try {
    (void)node_detail_json(read, {.id = 4711}, progress);
  } catch (const SnapshotError& error) {
    EQUAL(std::string(error.code()), "UNKNOWN_NODE");
    TRUE(error.parts().what.find("4711") != std::string::npos);
    return;
  }
  TRUE(false && "no error");
}

namespace {

HeapBuilder heap_of(int sessions, std::uint64_t code_bytes, const char* class_name = "Session") {
  constexpr std::uint64_t first_id = 1001;
  HeapBuilder heap;
  const auto list = heap.node("object", "Array", 16, first_id);
  const auto elements = heap.node("array", "(object elements)", 16 + 8 * static_cast<std::uint64_t>(sessions), first_id + 2);
  heap.edge("property", "list", heap.global(), list);
  heap.edge("internal", "elements", list, elements);
  heap.edge("property", "code", heap.global(), heap.node("code", "", code_bytes, first_id + 4));
  heap.edge("property", "handle", heap.global(), heap.node("native", "Node / Handle", 300, first_id + 1 + code_bytes % 100 * 2));
  for (int at = 0; at < sessions; ++at)
    heap.edge("element", at, list, heap.node("object", class_name, 100, first_id + 100 + 2 * static_cast<std::uint64_t>(at)));
  return heap;
}

double sum_of(const JsonValue& rows, const std::string& name) {
  double sum = 0;
  for (const JsonValue& row : rows.items) sum += number(row, name);
  return sum;
}

}  // namespace

TEST("the classes of a comparison sum to the balance, noise included, and the collection that grew is first") {
  const TemporaryFolder folder;
  const JsonValue answer = diff({folder.write("a", heap_of(3, 500).json()), folder.write("b", heap_of(8, 901).json())});
  EQUAL(member(answer, "isOneProcess").kind == JsonValue::Kind::kBoolean, true);
  const JsonValue& balance = member(answer, "balance");
  EQUAL(number(balance, "deltaBytes"), 5 * 100 + 5 * 8 + 401.0);
  EQUAL(number(balance, "residualBytes"), 0.0);
  EQUAL(sum_of(member(answer, "classes"), "deltaBytes"), number(balance, "deltaBytes"));
  EQUAL(text(member(answer, "classes").items.at(0), "name"), "Session");
  EQUAL(text(member(answer, "classes").items.back(), "noise").empty(), false);
  const JsonValue& grower = member(answer, "growers").items.at(0);
  EQUAL(text(grower, "name"), "Array");
  EQUAL(number(grower, "deltaEntries"), 5.0);
  EQUAL(number(grower, "retainedDeltaBytes"), 540.0);
  EQUAL(member(answer, "growth").items.size(), 0u);
  EQUAL(member(answer, "paths").items.size(), 0u);
}

TEST("files of two processes are compared by class and path, and their classes sum to the balance as well") {
  const TemporaryFolder folder;
  const JsonValue answer = diff({folder.write("a", heap_of(30, 500).json()), folder.write("b", heap_of(80, 901, "Visitor").json())});
  EQUAL(member(answer, "isOneProcess").number, 0.0);
  const JsonValue& balance = member(answer, "balance");
  EQUAL(number(balance, "deltaBytes"), 50 * 100 + 50 * 8 + 401.0);
  EQUAL(number(balance, "residualBytes"), 0.0);
  EQUAL(sum_of(member(answer, "classes"), "deltaBytes"), number(balance, "deltaBytes"));
  EQUAL(sum_of(member(answer, "classes"), "deltaCount"), 50.0);
  EQUAL(member(answer, "growers").items.size(), 0u);
  EQUAL(text(member(answer, "paths").items.at(0), "path"), "global.list[x]");
  EQUAL(text(member(answer, "paths").items.at(0), "className"), "Visitor");
}

TEST("three snapshots give a comparison of the first with the last, and the growth over all") {
  const TemporaryFolder folder;
  const JsonValue answer = diff({folder.write("a", heap_of(3, 500).json()), folder.write("b", heap_of(8, 500).json()),
                                 folder.write("c", heap_of(20, 500).json())});
  EQUAL(member(answer, "snapshots").items.size(), 3u);
  EQUAL(number(member(answer, "balance"), "newCount"), 17.0);
  const auto& growth = member(answer, "growth").items;
  EQUAL(growth.size(), 1u);
  EQUAL(text(growth[0], "path"), "global.list");
  EQUAL(text(growth[0], "className"), "Session");
  EQUAL(member(growth[0], "deltaCounts").items.at(1).number, 12.0);
  EQUAL(text(growth[0], "fingerprint").size(), 16u);
}
