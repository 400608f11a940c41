#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "record_reader.h"

namespace crucible::recording {

/**
 * Writes what is kept of several blocks of one stream into the payload of one. Consecutive samples of a group
 * become one summary (min, max, mean, last and count of each channel); how many, starts at one for each group
 * and is doubled for the group that takes most bytes until everything fits: what is sampled rarely stays whole
 * longest. Events stay as they are. src/recording/reduction.ts does the same, byte for byte.
 *
 * Some milliseconds for eight blocks of samples; holds one summary a group.
 *
 * @param out kPayloadBytes long
 * @returns how many bytes of it were used; nothing when events alone are too many
 */
[[nodiscard]] std::optional<std::size_t> reduce_blocks(std::span<const BlockView> blocks, const GroupTable& groups,
                                                       std::byte* out);

}  // namespace crucible::recording
