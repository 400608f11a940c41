#include "heap/parse/meta_reader.h"

#include <algorithm>
#include <array>

#include "heap/base/index.h"
#include "heap/base/snapshot_error.h"
#include "heap/parse/json_value.h"

namespace crucible::heap {

namespace {

/** A node's type and its two bits of detachedness share one byte. */
constexpr std::size_t kNodeTypesMax = 64;
constexpr std::size_t kEdgeTypesMax = 256;
/** Rows wider than this are not V8's. */
constexpr std::uint32_t kRowWidthMax = 64;

constexpr std::array<std::string_view, 15> kNodeKindNames = {
    "hidden", "array",     "string",              "object",        "code",   "closure", "regexp",      "number",
    "native", "synthetic", "concatenated string", "sliced string", "symbol", "bigint",  "object shape"};
constexpr std::array<std::string_view, 7> kEdgeKindNames = {"context", "element",  "property", "internal",
                                                            "hidden",  "shortcut", "weak"};

template <class Kind, std::size_t Types, std::size_t N>
void set_kinds(std::array<Kind, Types>& kinds, const std::vector<std::string>& names,
               const std::array<std::string_view, N>& known) {
  kinds.fill(static_cast<Kind>(N));
  for (std::size_t type = 0; type < names.size(); ++type)
    kinds[type] = static_cast<Kind>(std::find(known.begin(), known.end(), names[type]) - known.begin());
}

RowLayout layout(const JsonValue& meta, std::string_view name) {
  const JsonValue* fields = meta.find(name);
  return fields == nullptr ? RowLayout() : RowLayout(fields->texts());
}

/** The names of an enumerated column: the first array among the column types. */
std::vector<std::string> enumeration(const JsonValue& meta, std::string_view name, std::uint32_t column) {
  const JsonValue* types = meta.find(name);
  if (types == nullptr || column >= types->items.size()) return {};
  return types->items[column].texts();
}

void require_columns(const RowLayout& row, std::initializer_list<const char*> names, const char* of,
                     std::uint64_t offset) {
  for (const char* name : names) {
    if (row.column(name)) continue;
    throw SnapshotError("SNAPSHOT_COLUMNS",
                        {offset, std::string("meta.") + of + " has no column \"" + name + "\"",
                         "without it the rows cannot be understood",
                         "check that the file is a V8 heap snapshot; if a new Node.js writes it so, report it"});
  }
}

std::uint64_t whole(const JsonValue& section, std::string_view name, std::uint64_t offset) {
  const JsonValue* value = section.find(name);
  if (value == nullptr) return 0;
  if (const auto number = value->whole()) return *number;
  throw SnapshotError("SNAPSHOT_COUNT", {offset, "\"" + std::string(name) + "\" is not a whole number of at least zero",
                                         "counts of nodes and edges are", "capture the snapshot again"});
}

void require_at_most(std::uint64_t value, std::uint64_t limit, const char* what, std::uint64_t offset) {
  if (value <= limit) return;
  throw SnapshotError("SNAPSHOT_TOO_LARGE",
                      {offset, "the file declares " + std::to_string(value) + " " + what,
                       "at most " + std::to_string(limit) + " can be indexed", "capture a smaller heap"});
}

}  // namespace

SnapshotMeta read_meta(std::string_view json, std::uint64_t offset) {
  const JsonValue section = parse_json(json, offset);
  const JsonValue* fields = section.find("meta");
  if (fields == nullptr || fields->kind != JsonValue::Kind::kObject) {
    throw SnapshotError("SNAPSHOT_COLUMNS", {offset, "the \"snapshot\" section has no \"meta\" object",
                                             "it names the columns of the rows that follow",
                                             "check that the file is a V8 heap snapshot"});
  }
  SnapshotMeta meta;
  meta.node_row = layout(*fields, "node_fields");
  meta.edge_row = layout(*fields, "edge_fields");
  meta.location_row = layout(*fields, "location_fields");
  meta.function_row = layout(*fields, "trace_function_info_fields");
  meta.trace_row = layout(*fields, "trace_node_fields");
  meta.sample_row = layout(*fields, "sample_fields");
  require_columns(meta.node_row, {"type", "name", "id", "self_size", "edge_count"}, "node_fields", offset);
  require_columns(meta.edge_row, {"type", "name_or_index", "to_node"}, "edge_fields", offset);
  require_at_most(meta.node_row.width(), kRowWidthMax, "columns of nodes", offset);
  require_at_most(meta.edge_row.width(), kRowWidthMax, "columns of edges", offset);
  require_at_most(meta.location_row.width(), kRowWidthMax, "columns of locations", offset);
  meta.node_type_names = enumeration(*fields, "node_types", *meta.node_row.column("type"));
  meta.edge_type_names = enumeration(*fields, "edge_types", *meta.edge_row.column("type"));
  require_at_most(meta.node_type_names.size(), kNodeTypesMax, "types of nodes", offset);
  require_at_most(meta.edge_type_names.size(), kEdgeTypesMax, "types of edges", offset);
  set_kinds(meta.node_kinds, meta.node_type_names, kNodeKindNames);
  set_kinds(meta.edge_kinds, meta.edge_type_names, kEdgeKindNames);
  meta.node_count = whole(section, "node_count", offset);
  meta.edge_count = whole(section, "edge_count", offset);
  meta.root_index = whole(section, "root_index", offset);
  if (section.find("extra_native_bytes") != nullptr) meta.extra_native_bytes = whole(section, "extra_native_bytes", offset);
  require_at_most(meta.node_count, kNone - 1, "nodes", offset);
  require_at_most(meta.edge_count, kNone - 1, "edges", offset);
  return meta;
}

}  // namespace crucible::heap
