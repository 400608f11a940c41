#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crucible::heap {

/** What a node is, whatever number this V8 gives it. */
enum class NodeKind : std::uint8_t {
  kHidden,
  kArray,
  kString,
  kObject,
  kCode,
  kClosure,
  kRegExp,
  kNumber,
  kNative,
  kSynthetic,
  kConsString,
  kSlicedString,
  kSymbol,
  kBigInt,
  kObjectShape,
  kOther,
};

/** Shapes, code and what else no program makes by itself. */
[[nodiscard]] constexpr bool is_made_by_v8(NodeKind kind) {
  return kind == NodeKind::kCode || kind == NodeKind::kHidden || kind == NodeKind::kObjectShape;
}

enum class EdgeKind : std::uint8_t { kContext, kElement, kProperty, kInternal, kHidden, kShortcut, kWeak, kOther };

/** The column names of one kind of row, in file order. */
class RowLayout {
 public:
  RowLayout() = default;
  explicit RowLayout(std::vector<std::string> fields) : fields_(std::move(fields)) {}
  [[nodiscard]] std::uint32_t width() const { return static_cast<std::uint32_t>(fields_.size()); }
  /** Position of the column, or nothing: V8 adds and drops columns. */
  [[nodiscard]] std::optional<std::uint32_t> column(std::string_view name) const {
    const auto at = std::find(fields_.begin(), fields_.end(), name);
    if (at == fields_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(at - fields_.begin());
  }

 private:
  std::vector<std::string> fields_;
};

/** The "snapshot" section: how to read everything else. */
struct SnapshotMeta {
  RowLayout node_row, edge_row, location_row, function_row, trace_row, sample_row;
  /** Names as the file gives them; unknown ones survive. */
  std::vector<std::string> node_type_names, edge_type_names;
  /** By the file's numbers; in place, because every loop over edges asks. */
  std::array<NodeKind, 64> node_kinds{};
  std::array<EdgeKind, 256> edge_kinds{};
  std::uint64_t node_count = 0;
  std::uint64_t edge_count = 0;
  std::uint64_t root_index = 0;
  std::uint64_t extra_native_bytes = 0;
};

}  // namespace crucible::heap
