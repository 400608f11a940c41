#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crucible::heap {

struct JsonMember;

/** A small JSON document in memory: the "snapshot" section, and nothing larger. */
struct JsonValue {
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  double number = 0;
  std::string text;
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;

  /** The member of that name, or null. Names are compared, never looked up on a prototype. */
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  /** The texts of an array of strings; anything else in it becomes an empty text. */
  [[nodiscard]] std::vector<std::string> texts() const;
  /** A whole number of at least zero, or nothing. */
  [[nodiscard]] std::optional<std::uint64_t> whole() const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

/** @param base_offset where `json` starts in the file. Throws SNAPSHOT_SYNTAX. */
[[nodiscard]] JsonValue parse_json(std::string_view json, std::uint64_t base_offset);

}  // namespace crucible::heap
