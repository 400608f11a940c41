#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "heap/analysis/snapshot.h"

namespace crucible::heap {

enum class CollectionKind : std::uint8_t { kMap, kSet, kWeakMap, kArray, kDictionary, kListeners };

/** "map", "set", ... */
[[nodiscard]] const char* collection_kind_name(CollectionKind kind);

/** Something that programs put things into. */
struct Collection {
  Node node;
  CollectionKind kind = CollectionKind::kArray;
  /**
   * Entries that the snapshot shows. V8 leaves small integers out, so an array
   * of numbers shows none, and a Map shows an entry if its key or its value is
   * an object or a string.
   */
  std::uint64_t entries = 0;
  /** Entries that fit without growing; zero where it is not known. */
  std::uint64_t capacity = 0;
};

/** The node as a collection, however few entries it has; nothing if it is none. */
[[nodiscard]] std::optional<Collection> as_collection(const HeapGraph& graph, Node node);

/** Named properties and elements of an object: its entries, if it is a dictionary. */
[[nodiscard]] std::uint64_t count_properties(const HeapGraph& graph, Node node);

/** An object with fewer is a record, not a dictionary. */
inline constexpr std::uint64_t kDictionaryEntriesMin = 20;

/** Every collection of the heap, in node order. O(nodes + edges). */
void for_each_collection(const HeapGraph& graph, Progress& progress,
                         const std::function<void(const Collection&)>& take);

/** Collections with at least that many entries, most first; at most `count`. O(nodes + edges). */
[[nodiscard]] std::vector<Collection> find_collections(const HeapGraph& graph, std::uint64_t entries_min,
                                                       std::size_t count, Progress& progress);

}  // namespace crucible::heap
