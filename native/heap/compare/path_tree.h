#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "heap/analysis/snapshot.h"
#include "heap/base/progress.h"
#include "heap/base/table.h"
#include "heap/query/names.h"

namespace crucible::heap {

using Group = Index<struct GroupSpace>;

/**
 * All objects of a heap, merged by the path that leads to them: LeakCanary's
 * shortest-path tree. Objects that one group reaches through references of one
 * name, and that have one class, are one group; all indices are one name, and
 * so are the keys of a large dictionary. Backing stores are part of their
 * owner, and a list of equals (`next` after `next`) is one group.
 *
 * Each object is in one group only, that of its first path: from the global
 * object, then from the variables of files, then from V8's roots, what lies on
 * the stack last; near before far, and of equally near ones always the same.
 * Prototypes, shapes and code belong to nobody: what only they lead to is a
 * tree of its own.
 * A group's fingerprint is made of names alone and is therefore the same in
 * every snapshot and every run.
 * O(nodes + edges), whatever the fan-out: groups are found by hash.
 */
class PathTree {
 public:
  PathTree(const Snapshot& snapshot, Progress& progress);

  struct Row {
    std::uint64_t fingerprint = 0;
    Group parent = kNo<Group>;
    std::uint32_t objects = 0;
    /** Raw sizes of the objects and of the backing stores they own. */
    std::uint64_t own_bytes = 0;
    /** With everything below. */
    std::uint64_t bytes = 0;
    /** The first reference that led here, and its target; only valid with the snapshot. */
    Edge sample_edge = kNo<Edge>;
    Node sample = kNo<Node>;
  };

  [[nodiscard]] const Column<Row>& rows() const { return rows_; }
  [[nodiscard]] const Row& row(Group group) const { return rows_[group.value]; }
  /** What V8 keeps for itself: shapes, code, prototypes that nothing else leads to. */
  [[nodiscard]] bool is_plumbing(Group group) const {
    return row(group).sample_edge == kNo<Edge> && row(group).parent != kNo<Group> && !file_of_.contains(group.value);
  }
  /** The group with that fingerprint, or kNo<Group>. */
  [[nodiscard]] Group find(std::uint64_t fingerprint) const;
  /** The group of a node, or kNo<Group>: until drop_nodes(). */
  [[nodiscard]] Group of(Node node) const { return group_of_[node]; }
  /** Gives back what is only useful together with the snapshot. */
  void drop_nodes() { group_of_.clear(); }

  /** `globalThis.cache[x]`. @param names of the snapshot that the tree was made from */
  [[nodiscard]] std::string path_text(const HeapGraph& graph, const Names& names, Group group) const;
  [[nodiscard]] std::size_t bytes_held() const;

 private:
  friend class PathTreeBuilder;
  Column<Row> rows_;
  Table<Node, Group> group_of_;
  /** Groups that are the scopes of files. */
  std::unordered_map<std::uint32_t, std::string> file_of_;
  /** Open addressing: positions in rows_ plus one. */
  Column<std::uint32_t> slots_;
};

}  // namespace crucible::heap
