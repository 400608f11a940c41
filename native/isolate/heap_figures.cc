#include "heap_figures.h"

#include <node_version.h>
#include <v8.h>

namespace crucible::isolate {

HeapFigures read_heap_figures(v8::Isolate* isolate) {
  v8::HeapStatistics statistics;
  isolate->GetHeapStatistics(&statistics);
  const auto number = [](std::size_t value) { return static_cast<double>(value); };
  return {
      number(statistics.used_heap_size()),
      number(statistics.total_heap_size()),
      number(statistics.external_memory()),
      number(statistics.malloced_memory()),
      number(statistics.heap_size_limit()),
      number(statistics.number_of_native_contexts()),
      number(statistics.number_of_detached_contexts()),
      number(statistics.used_global_handles_size()),
  };
}

std::vector<std::string> heap_space_names(v8::Isolate* isolate) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < isolate->NumberOfHeapSpaces(); i++) {
    v8::HeapSpaceStatistics space;
    isolate->GetHeapSpaceStatistics(&space, i);
    names.emplace_back(space.space_name());
  }
  return names;
}

void read_heap_spaces(v8::Isolate* isolate, double* used_and_committed_bytes, std::size_t spaces) {
  for (std::size_t i = 0; i < spaces; i++) {
    v8::HeapSpaceStatistics space;
    isolate->GetHeapSpaceStatistics(&space, i);
    used_and_committed_bytes[2 * i] = static_cast<double>(space.space_used_size());
    used_and_committed_bytes[2 * i + 1] = static_cast<double>(space.space_size());
  }
}

void collect_garbage(v8::Isolate* isolate) { isolate->LowMemoryNotification(); }

v8::Isolate* this_isolate() { return v8::Isolate::GetCurrent(); }

int built_for_abi() noexcept { return NODE_MODULE_VERSION; }

}  // namespace crucible::isolate
