#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace crucible::heap {

/** Where nothing in the file can be pointed at. */
inline constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};

/** What an error says: the place, what is there, why that is wrong, and what to do. */
struct ErrorParts {
  std::uint64_t byte_offset = kNoOffset;
  std::string what;
  std::string why;
  std::string fix;
};

/**
 * Everything that can be wrong with a snapshot, or with a question about one.
 * Codes are stable: SNAPSHOT_TRUNCATED, SNAPSHOT_EMPTY, SNAPSHOT_FOREIGN,
 * SNAPSHOT_COMPRESSED, SNAPSHOT_UNREADABLE, SNAPSHOT_SYNTAX, SNAPSHOT_NUMBER,
 * SNAPSHOT_COLUMNS, SNAPSHOT_COUNT, SNAPSHOT_EDGE_TARGET, SNAPSHOT_EDGE_SUM,
 * SNAPSHOT_INDEX, SNAPSHOT_DUPLICATE_ID, SNAPSHOT_TOO_LARGE, UNKNOWN_NODE,
 * INTERRUPTED.
 */
class SnapshotError final : public std::exception {
 public:
  SnapshotError(const char* code, ErrorParts parts)
      : code_(code), parts_(std::move(parts)), text_(parts_.what + ": " + parts_.why) {}

  [[nodiscard]] const char* code() const noexcept { return code_; }
  [[nodiscard]] const ErrorParts& parts() const noexcept { return parts_; }
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  const char* code_;
  ErrorParts parts_;
  std::string text_;
};

}  // namespace crucible::heap
