#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace crucible::recording {

enum class ChannelKind : std::uint8_t { integer, real };

/** One column of a recording; src/native.ts says what the fields mean. */
struct ChannelDefinition {
  std::string name;
  std::string unit;
  ChannelKind kind;
  std::string description;
};

/** Channels that are always appended together. */
struct Group {
  std::uint32_t id;
  std::vector<ChannelKind> kinds;
};

/** By id, of which the first is 1; what is not defined is null. */
using GroupTable = std::vector<std::shared_ptr<const Group>>;

}  // namespace crucible::recording
