#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heap/analysis/snapshot.h"

namespace crucible::heap {

/** The variables of a file: what its functions share for as long as any of them lives. */
struct FileScope {
  Node context;
  /** Of the script, without the folders above its own; of several scopes in one file all have the same. */
  std::string file;
  /**
   * Of the file's name alone, so that it is the same wherever the program is installed. Variables of one name in two
   * files of one name count together.
   */
  std::uint64_t fingerprint = 0;
  /** A file of Node.js itself. */
  bool is_builtin = false;
};

/**
 * Scopes that lie in no other function's scope and exist once: those of
 * modules, and of functions that ran once at the top of a file. A program
 * reaches its variables by way of whatever function it has at hand, and V8 by
 * another one in every run; but to a person they stand in their file.
 * O(nodes).
 */
[[nodiscard]] std::vector<FileScope> find_file_scopes(const Snapshot& snapshot);

}  // namespace crucible::heap
