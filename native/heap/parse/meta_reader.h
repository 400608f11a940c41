#pragma once

#include <cstdint>
#include <string_view>

#include "heap/graph/snapshot_meta.h"

namespace crucible::heap {

/**
 * @param json the object after `"snapshot":`
 * Throws SNAPSHOT_SYNTAX, SNAPSHOT_COLUMNS, SNAPSHOT_TOO_LARGE.
 */
[[nodiscard]] SnapshotMeta read_meta(std::string_view json, std::uint64_t base_offset);

}  // namespace crucible::heap
