#include <cstring>
#include <functional>

#include "heap/parse/snapshot_parser.h"
#include "test/native/heap/heap_builder.h"
#include "test/native/heap/testing.h"

using namespace crucible::heap;

namespace {

HeapBuilder two_objects() {
  HeapBuilder heap;
  const auto a = heap.node("object", "A", 16);
  const auto b = heap.node("object", "B", 16);
  heap.edge("property", "a", heap.global(), a);
  heap.edge("property", "b", a, b);
  return heap;
}

struct Refusal {
  std::string code;
  std::uint64_t byte_offset;
  std::string why;
};

Refusal refusal_of(const std::string& json) {
  try {
    (void)parse_text(json);
  } catch (const SnapshotError& error) {
    TRUE(!error.parts().what.empty());
    TRUE(!error.parts().why.empty());
    TRUE(!error.parts().fix.empty());
    return {error.code(), error.parts().byte_offset, error.parts().why};
  }
  return {"(none)", 0, ""};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  TRUE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST("every truncation of a snapshot is refused, and none crashes") {
  const std::string json = two_objects().json();
  for (std::size_t length = 0; length + 1 < json.size(); ++length) {
    const Refusal refusal = refusal_of(json.substr(0, length));
    TRUE(refusal.code != "(none)");
    if (length > 0) TRUE(refusal.code == "SNAPSHOT_TRUNCATED" || refusal.code == "SNAPSHOT_FOREIGN");
  }
}

TEST("every truncation of a snapshot can be salvaged or is refused, and none crashes") {
  const std::string json = two_objects().json();
  std::size_t salvaged = 0;
  for (std::size_t length = 0; length < json.size(); ++length) {
    try {
      HeapGraph graph = parse_text(json.substr(0, length), true);
      TRUE(!graph.missing.empty());
      Progress progress;
      const Snapshot snapshot = analyse(std::move(graph), {}, Crew(1), progress);
      salvaged += snapshot.graph.node_count() == 4;
    } catch (const SnapshotError&) {
    }
  }
  TRUE(salvaged > 100);
}

TEST("a truncated file is refused at its last byte, with the section that breaks off") {
  const std::string json = two_objects().json();
  const std::string cut = json.substr(0, json.find("\"edges\"") + 12);
  try {
    (void)parse_text(cut);
    TRUE(false);
  } catch (const SnapshotError& error) {
    EQUAL(std::string(error.code()), "SNAPSHOT_TRUNCATED");
    EQUAL(error.parts().byte_offset, cut.size());
    TRUE(error.parts().what.find("\"edges\"") != std::string::npos);
  }
}

TEST("an empty file is refused as empty") { EQUAL(refusal_of("").code, "SNAPSHOT_EMPTY"); }

TEST("a file of spaces is refused as empty") { EQUAL(refusal_of(" \n ").code, "SNAPSHOT_EMPTY"); }

TEST("other JSON is refused as foreign") { EQUAL(refusal_of("{\"name\":\"package\"}").code, "SNAPSHOT_FOREIGN"); }

TEST("other text is refused as foreign at its first byte") {
  const Refusal refusal = refusal_of("<!doctype html>");
  EQUAL(refusal.code, "SNAPSHOT_FOREIGN");
  EQUAL(refusal.byte_offset, 0u);
}

TEST("a compressed file is named as such") { EQUAL(refusal_of("\x1F\x8B\x08").code, "SNAPSHOT_COMPRESSED"); }

TEST("fewer nodes than declared are refused") {
  HeapBuilder heap = two_objects();
  heap.node_count_declared = 5;
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_COUNT");
}

TEST("more nodes than declared are refused at the first that is too many") {
  HeapBuilder heap = two_objects();
  heap.node_count_declared = 3;
  const std::string json = heap.json();
  const Refusal refusal = refusal_of(json);
  EQUAL(refusal.code, "SNAPSHOT_COUNT");
  EQUAL(json.substr(refusal.byte_offset, 6), "3,3,7,");
}

TEST("fewer edges than declared are refused") {
  HeapBuilder heap = two_objects();
  heap.edge_count_declared = 4;
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_COUNT");
}

TEST("a count of edges per node that does not add up is refused") {
  const std::string json = two_objects().json();
  // Node B has no edges; say one.
  const Refusal refusal = refusal_of(replaced(json, "7,16,0,0,0", "7,16,1,0,0"));
  EQUAL(refusal.code, "SNAPSHOT_EDGE_SUM");
}

TEST("a hundred million declared nodes cost no memory") {
  HeapBuilder heap = two_objects();
  heap.node_count_declared = 100'000'000;
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_COUNT");
}

TEST("more nodes than can be numbered are refused") {
  HeapBuilder heap = two_objects();
  heap.node_count_declared = 1ull << 40;
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_TOO_LARGE");
}

TEST("a to_node beyond the nodes is refused at its byte") {
  const std::string json = replaced(two_objects().json(), ",21\n]", ",28\n]");
  const Refusal refusal = refusal_of(json);
  EQUAL(refusal.code, "SNAPSHOT_EDGE_TARGET");
  EQUAL(json.substr(refusal.byte_offset, 3), "28\n");
}

TEST("a to_node between two nodes is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), ",21\n]", ",20\n]")).code, "SNAPSHOT_EDGE_TARGET");
}

TEST("a node type that is not declared is refused at its byte") {
  const std::string json = replaced(two_objects().json(), "9,0,1,0", "77,0,1,0");
  const Refusal refusal = refusal_of(json);
  EQUAL(refusal.code, "SNAPSHOT_INDEX");
  EQUAL(json.substr(refusal.byte_offset, 3), "77,");
}

TEST("a name beyond the strings is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), "9,0,1,0", "9,99,1,0")).code, "SNAPSHOT_INDEX");
}

TEST("an edge name beyond the strings is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), "5,1,7", "5,99,7")).code, "SNAPSHOT_INDEX");
}

TEST("two nodes with one id are refused") {
  HeapBuilder heap = two_objects();
  heap.edge("property", "c", heap.global(), heap.node("object", "C", 16, 3));
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_DUPLICATE_ID");
}

TEST("two nodes with one large id are refused") {
  HeapBuilder heap = two_objects();
  heap.edge("property", "c", heap.global(), heap.node("object", "C", 16, 1ull << 50));
  heap.edge("property", "d", heap.global(), heap.node("object", "D", 16, 1ull << 50));
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_DUPLICATE_ID");
}

TEST("a negative size is refused with its reason") {
  const Refusal refusal = refusal_of(replaced(two_objects().json(), "7,16,0,0,0", "7,-16,0,0,0"));
  EQUAL(refusal.code, "SNAPSHOT_NUMBER");
  EQUAL(refusal.why, "sizes, ids and indices are never negative");
}

TEST("a negative number in the edges is refused unless it can be the index of an element") {
  HeapBuilder heap = two_objects();
  heap.edge("element", 4'000'000'000, heap.global(), 2);
  const std::string json = heap.json();
  EQUAL(refusal_of(replaced(json, "1,4000000000,", "1,-294967296,")).code, "(none)");
  for (const char* const wrong : {"1,-,", "1,-0,", "1,-1,", "1,-2147483649,", "1,--2,", "1,2-2,", "1,9223372036854775810,"})
    TRUE(refusal_of(replaced(json, "1,4000000000,", wrong)).code == "SNAPSHOT_NUMBER");
  EQUAL(refusal_of(replaced(json, "1,4000000000,", "-2,4000000000,")).code, "SNAPSHOT_INDEX");
  EQUAL(refusal_of(replaced(json, "1,4000000000,14", "1,4000000000,-14")).code, "SNAPSHOT_EDGE_TARGET");
}

TEST("a fraction is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), "7,16,0,0,0", "7,1.6,0,0,0")).code, "SNAPSHOT_NUMBER");
}

TEST("a number beyond 64 bits is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), "7,16,0,0,0", "7,99999999999999999999,0,0,0")).code, "SNAPSHOT_NUMBER");
}

TEST("two numbers without a comma are refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), "7,16,0,0,0", "7,16 0,0,0,0")).code, "SNAPSHOT_NUMBER");
}

TEST("a comma before the closing bracket is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), ",21\n]", ",21\n,]")).code, "SNAPSHOT_NUMBER");
}

TEST("text in a list of numbers is refused") {
  EQUAL(refusal_of(replaced(two_objects().json(), "9,0,1,0", "9,null,1,0")).code, "SNAPSHOT_NUMBER");
}

TEST("a missing column is refused by name") {
  Layout layout;
  layout.node_fields = {"type", "name", "id", "edge_count"};
  const Refusal refusal = refusal_of(two_objects().json(layout));
  EQUAL(refusal.code, "SNAPSHOT_COLUMNS");
}

TEST("a missing section is refused") {
  Layout layout;
  layout.sections = {"snapshot", "nodes", "strings"};
  EQUAL(refusal_of(two_objects().json(layout)).code, "SNAPSHOT_SYNTAX");
}

TEST("a section that comes twice is refused") {
  Layout layout;
  layout.sections = {"snapshot", "nodes", "edges", "nodes", "strings"};
  EQUAL(refusal_of(two_objects().json(layout)).code, "SNAPSHOT_SYNTAX");
}

TEST("a root_index beyond the nodes is refused") {
  HeapBuilder heap = two_objects();
  heap.more_in_snapshot = ",\"root_index\":700";
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_INDEX");
}

TEST("a location of no node is refused") {
  HeapBuilder heap = two_objects();
  heap.location(99, 1, 1, 1);
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_INDEX");
}

TEST("a broken trace tree is refused") {
  HeapBuilder heap = two_objects();
  heap.trace_tree = "[1,0,[2],3,4]";
  EQUAL(refusal_of(heap.json()).code, "SNAPSHOT_SYNTAX");
}

TEST("a \"snapshot\" section that is nested without end is refused") {
  const std::string deep(100'000, '[');
  EQUAL(refusal_of("{\"snapshot\":{\"meta\":" + deep + std::string(100'000, ']') + "}}").code, "SNAPSHOT_SYNTAX");
}

TEST("something behind the end is refused") { EQUAL(refusal_of(two_objects().json() + "{}").code, "SNAPSHOT_SYNTAX"); }

TEST("salvage keeps edges that are sound and says how many are not") {
  const std::string json = replaced(two_objects().json(), ",21\n]", ",28\n]");
  const HeapGraph graph = parse_text(json, true);
  EQUAL(graph.node_count(), 4u);
  EQUAL(graph.missing.size(), 1u);
  TRUE(graph.missing[0].find("1 edges") != std::string::npos);
}

TEST("salvage forgets the places of nodes that are not in the file") {
  HeapBuilder heap;
  heap.location(1, 7, 11, 3);
  heap.location(8, 7, 12, 3);
  heap.node_count_declared = 10;
  const HeapGraph graph = parse_text(heap.json(), true);
  EQUAL(graph.node_count(), 2u);
  EQUAL(graph.locations.rows().size(), 1u);
  EQUAL(graph.locations.of(Node{1})->line, 11u);
}
