#include "heap/parse/row_columns.h"

#include <algorithm>
#include <iterator>

#include "heap/base/snapshot_error.h"

namespace crucible::heap {

void throw_out_of_range(const char* of, std::uint64_t row, const char* column, std::uint64_t value,
                        const std::string& limit, std::uint64_t offset) {
  const bool target = std::string_view(column) == "to_node";
  throw SnapshotError(target ? "SNAPSHOT_EDGE_TARGET" : "SNAPSHOT_INDEX",
                      {offset,
                       std::string(column) + " of row " + std::to_string(row) + " of \"" + of + "\" is " +
                           std::to_string(value),
                       limit, "capture the snapshot again, or read what is sound with --salvage"});
}

namespace {

template <class Wide>
void append(std::vector<Wide>& to, std::vector<Wide>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/** One column of 64-bit values into four bytes each; the few that do not fit go to `wide`. */
void take_wide(const Stride& at, std::uint32_t width, const std::uint64_t* values, std::size_t count,
               Column<std::uint32_t>& narrow, std::vector<WideTable<Node>::Wide>& wide) {
  std::uint64_t row = at.first_row;
  for (std::size_t i = at.first; i < count; i += width, ++row) {
    const std::uint64_t value = values[i];
    if (value < kNone) [[likely]] {
      narrow[row] = static_cast<std::uint32_t>(value);
    } else {
      narrow[row] = kNone;
      wide.emplace_back(static_cast<std::uint32_t>(row), value);
    }
  }
}

/** One column of values that must stay below `limit`, which is at most 2^32. */
template <class Value, class Store>
void take_bounded(const Stride& at, std::uint32_t width, const std::uint64_t* values, std::size_t count,
                  std::uint64_t limit, const char* of, const char* column, const BatchPlace& place, Store store) {
  std::uint64_t row = at.first_row;
  for (std::size_t i = at.first; i < count; i += width, ++row) {
    if (values[i] >= limit) [[unlikely]]
      throw_out_of_range(of, row, column, values[i], "only values below " + std::to_string(limit) + " are defined",
                         place.offset_of(i));
    store(row, static_cast<Value>(values[i]));
  }
}

/** Indices that V8 wrote as negative become what they mean; other columns refuse them as far too large. */
class Indices {
 public:
  Indices(const Stride& at, std::uint32_t width, const std::uint64_t* values, std::size_t count) : values_(values) {
    for (std::size_t i = at.first; i < count; i += width) {
      if (values[i] < NumberReader::kNegative) [[likely]] continue;
      if (copy_.empty()) copy_.assign(values, values + count);
      copy_[i] &= ~NumberReader::kNegative;
    }
    if (!copy_.empty()) values_ = copy_.data();
  }
  [[nodiscard]] const std::uint64_t* values() const { return values_; }

 private:
  const std::uint64_t* values_;
  std::vector<std::uint64_t> copy_;
};

constexpr std::uint64_t kNameLimit = kNone;

}  // namespace

void NodeRows::Part::merge(Part&& other) {
  edge_total += other.edge_total;
  if (other.name_max > name_max) name_max = other.name_max, name_max_row = other.name_max_row;
  traced |= other.traced;
  append(wide_ids, std::move(other.wide_ids));
  append(wide_sizes, std::move(other.wide_sizes));
  append(detached, std::move(other.detached));
}

NodeRows::NodeRows(const SnapshotMeta& meta, NodeColumns& into)
    : into_(into),
      width_(meta.node_row.width()),
      type_(*meta.node_row.column("type")),
      name_(*meta.node_row.column("name")),
      id_(*meta.node_row.column("id")),
      self_size_(*meta.node_row.column("self_size")),
      edge_count_(*meta.node_row.column("edge_count")),
      trace_node_(meta.node_row.column("trace_node_id").value_or(kNone)),
      detachedness_(meta.node_row.column("detachedness").value_or(kNone)),
      type_count_(meta.node_type_names.size()),
      declared_(meta.node_count) {}

void NodeRows::make_room(std::uint64_t rows) {
  into_.type_and_detachedness.column().grow_to(rows);
  into_.name.column().grow_to(rows);
  into_.id.narrow().grow_to(rows);
  into_.self_bytes.narrow().grow_to(rows);
  into_.first_edge.column().grow_to(rows + 1);
  if (trace_node_ != kNone) into_.trace_node.column().grow_to(rows);
}

void NodeRows::take(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count,
                    const BatchPlace& place) const {
  take_bounded<std::uint8_t>(
      Stride(ordinal, width_, type_), width_, values, count, type_count_, kName, "type", place,
      [types = into_.type_and_detachedness.column().data()](std::uint64_t row, std::uint8_t type) { types[row] = type; });
  take_detachedness(part, ordinal, values, count);
  take_bounded<std::uint32_t>(Stride(ordinal, width_, name_), width_, values, count, kNameLimit, kName, "name", place,
                              [&, names = into_.name.column().data()](std::uint64_t row, std::uint32_t name) {
                                names[row] = name;
                                if (name > part.name_max) part.name_max = name, part.name_max_row = row;
                              });
  take_wide(Stride(ordinal, width_, id_), width_, values, count, into_.id.narrow(), part.wide_ids);
  take_wide(Stride(ordinal, width_, self_size_), width_, values, count, into_.self_bytes.narrow(), part.wide_sizes);
  take_bounded<std::uint32_t>(Stride(ordinal, width_, edge_count_), width_, values, count, kNone, kName, "edge_count",
                              place,
                              [&, counts = into_.first_edge.column().data()](std::uint64_t row, std::uint32_t edges) {
                                counts[row] = edges;
                                part.edge_total += edges;
                              });
  if (trace_node_ == kNone) return;
  take_bounded<std::uint32_t>(Stride(ordinal, width_, trace_node_), width_, values, count, kNone, kName,
                              "trace_node_id", place,
                              [&, ids = into_.trace_node.column().data()](std::uint64_t row, std::uint32_t id) {
                                // A page that is never written is never there.
                                if (id != 0) ids[row] = id, part.traced = true;
                              });
}

void NodeRows::take_detachedness(Part& part, std::uint64_t ordinal, const std::uint64_t* values,
                                 std::size_t count) const {
  if (detachedness_ == kNone) return;
  const Stride at(ordinal, width_, detachedness_);
  std::uint64_t row = at.first_row;
  for (std::size_t i = at.first; i < count; i += width_, ++row)
    if (values[i] != 0) part.detached.emplace_back(static_cast<std::uint32_t>(row), static_cast<std::uint8_t>(values[i] & 3));
}

void NodeRows::finish(std::uint64_t rows, Part&& part) {
  make_room(rows);
  into_.type_and_detachedness.column().resize(rows);
  into_.name.column().resize(rows);
  into_.id.narrow().resize(rows);
  into_.self_bytes.narrow().resize(rows);
  into_.first_edge.column().resize(rows + 1);
  if (!part.traced) into_.trace_node.clear();
  else into_.trace_node.column().resize(rows);
  for (const auto& [row, detachedness] : part.detached)
    if (row < rows) into_.type_and_detachedness[Node{row}] |= static_cast<std::uint8_t>(detachedness << 6);
  into_.type_and_detachedness.column().shrink_to_fit();
  into_.name.column().shrink_to_fit();
  into_.id.narrow().shrink_to_fit();
  into_.self_bytes.narrow().shrink_to_fit();
  into_.first_edge.column().shrink_to_fit();
  into_.id.set_wide(std::move(part.wide_ids));
  into_.self_bytes.set_wide(std::move(part.wide_sizes));
}

void EdgeRows::Part::merge(Part&& other) {
  if (other.name_max > name_max) name_max = other.name_max, name_max_row = other.name_max_row;
  dropped += other.dropped;
  append(wide_names, std::move(other.wide_names));
}

EdgeRows::EdgeRows(const SnapshotMeta& meta, EdgeColumns& into, bool lenient)
    : meta_(meta),
      into_(into),
      lenient_(lenient),
      width_(meta.edge_row.width()),
      type_(*meta.edge_row.column("type")),
      name_(*meta.edge_row.column("name_or_index")),
      to_(*meta.edge_row.column("to_node")),
      node_width_(meta.node_row.width()),
      type_count_(meta.edge_type_names.size()),
      declared_(meta.edge_count) {
  // The text of most edges is the name of some node as well: there are hardly more texts than nodes.
  const auto nodes = static_cast<std::uint32_t>(meta.node_count);
  into_.name_or_index = NarrowTable<Edge>(0, std::max(nodes, 0x10000u));
  into_.to = PackedTable<Edge, Node>(0, nodes);
}

void EdgeRows::make_room(std::uint64_t rows) {
  into_.type.column().grow_to(rows);
  into_.name_or_index.narrow().grow_to(rows);
  into_.to.grow_to(rows);
}

void EdgeRows::take(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count,
                    const BatchPlace& place) const {
  take_bounded<std::uint8_t>(
      Stride(ordinal, width_, type_), width_, values, count, type_count_, kName, "type", place,
      [types = into_.type.column().data()](std::uint64_t row, std::uint8_t type) { types[row] = type; });
  const Stride name_or_index(ordinal, width_, name_);
  const Indices indices(name_or_index, width_, values, count);
  take_bounded<std::uint32_t>(
      name_or_index, width_, indices.values(), count, kNameLimit, kName, "name_or_index", place,
      [&part, names = into_.name_or_index.narrow().view()](std::uint64_t row, std::uint32_t name) {
        names.set(row, std::min(name, names.mask()));
        if (name >= names.mask()) [[unlikely]] part.wide_names.emplace_back(static_cast<std::uint32_t>(row), name);
      });
  take_targets(part, ordinal, values, count, place);
}

void EdgeRows::take_targets(Part& part, std::uint64_t ordinal, const std::uint64_t* values, std::size_t count,
                            const BatchPlace& place) const {
  const std::uint64_t limit = meta_.node_count * node_width_;
#if defined(__SIZEOF_INT128__)
  // Multiplying by the reciprocal is exact below `limit`, which is below 2^38, and five times faster.
  const std::uint64_t reciprocal = ((std::uint64_t{1} << 56) + node_width_ - 1) / node_width_;
  const auto divide = [reciprocal](std::uint64_t value) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(value) * reciprocal) >> 56);
  };
#else
  const auto divide = [width = node_width_](std::uint64_t value) { return value / width; };
#endif
  const Stride at(ordinal, width_, to_);
  const PackedView targets = into_.to.view();
  std::uint64_t row = at.first_row;
  for (std::size_t i = at.first; i < count; i += width_, ++row) {
    const std::uint64_t value = values[i];
    const std::uint64_t node = divide(value);
    if (value < limit && node * node_width_ == value) [[likely]] {
      targets.set(row, static_cast<std::uint32_t>(node));
    } else if (lenient_) {
      targets.set(row, kNone);
      ++part.dropped;
    } else {
      throw_out_of_range(kName, row, "to_node", value,
                         value >= limit ? "the nodes end at " + std::to_string(limit)
                                        : "it must be a multiple of " + std::to_string(node_width_) +
                                              ", the width of a node's row",
                         place.offset_of(i));
    }
  }
}

void EdgeRows::finish(std::uint64_t rows, Part&& part) {
  make_room(rows);
  into_.type.column().resize(rows);
  into_.name_or_index.narrow().resize(rows);
  into_.to.resize(rows);
  into_.type.column().shrink_to_fit();
  into_.name_or_index.narrow().shrink_to_fit();
  into_.name_or_index.set_wide(std::move(part.wide_names));
  into_.to.shrink_to_fit();
}

}  // namespace crucible::heap
