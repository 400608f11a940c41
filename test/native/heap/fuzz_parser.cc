/**
 * libFuzzer target: whatever the bytes, the parser gives a graph or a
 * SnapshotError, and every analysis of the graph ends. With clang, link it with
 * everything under native/heap but inspect/main.cc and -fsanitize=fuzzer.
 *
 * With g++ link fuzz_driver.cc, which replays and mutates a corpus.
 */
#include <cstddef>
#include <cstdint>

#include "heap/analysis/snapshot.h"
#include "heap/compare/growth.h"
#include "heap/compare/heap_diff.h"
#include "heap/json/node_detail.h"
#include "heap/json/overview.h"
#include "heap/query/largest.h"
#include "heap/query/names.h"

using namespace crucible::heap;

namespace {

void ask_everything(HeapGraph graph, bool redact) {
  Progress progress;
  const ReadHeap heap("fuzz", analyse(std::move(graph), {}, Crew(1), progress), redact);
  const Snapshot& snapshot = heap.snapshot;
  (void)overview_json(heap, {.top = 5, .entries_min = 1}, progress);
  for (const Node node : largest_retainers(snapshot, 3))
    (void)node_detail_json(heap, {.id = snapshot.graph.nodes.id[node], .paths = 3, .fields = 5}, progress);
  const HeapDiff diff = diff_heaps(make_diff_base(snapshot, Crew(1), progress), snapshot, 5, Crew(1), progress);
  if (snapshot.graph.missing.empty() && (diff.balance.delta_bytes != 0 || diff.balance.residual_bytes() != 0)) __builtin_trap();
  GrowthTracker tracker;
  tracker.add(snapshot, progress);
  tracker.add(snapshot, progress);
  (void)tracker.finish(snapshot, Names(snapshot.graph), {}, progress);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte decides how the rest arrives.
  const bool salvage = (data[0] & 1) != 0;
  const std::size_t piece = 1 + data[0] / 2u * 5u;
  const char* const bytes = reinterpret_cast<const char*>(data + 1);
  try {
    SnapshotParser parser(ParseOptions{salvage});
    for (std::size_t at = 0; at + 1 < size; at += piece) parser.feed(bytes + at, piece < size - 1 - at ? piece : size - 1 - at);
    ask_everything(parser.finish(), (data[0] & 2) != 0);
  } catch (const SnapshotError&) {
  }
  return 0;
}
