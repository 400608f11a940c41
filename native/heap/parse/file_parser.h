#pragma once

#include <string>

#include "heap/base/crew.h"
#include "heap/base/progress.h"
#include "heap/parse/snapshot_parser.h"

namespace crucible::heap {

/** Reads a snapshot from a plain file with all threads of the crew. Throws a SnapshotError. */
[[nodiscard]] HeapGraph parse_file(const std::string& path, ParseOptions options, const Crew& crew, Progress& progress);

}  // namespace crucible::heap
