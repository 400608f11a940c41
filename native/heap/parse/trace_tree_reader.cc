#include "heap/parse/trace_tree_reader.h"

#include "heap/base/snapshot_error.h"

namespace crucible::heap {

void TraceTreeReader::begin(const SnapshotMeta& meta, TraceTree& into) {
  const RowLayout& row = meta.trace_row;
  into_ = &into;
  width_ = row.width();
  id_ = row.column("id").value_or(kNone);
  function_ = row.column("function_info_index").value_or(kNone);
  count_ = row.column("count").value_or(kNone);
  size_ = row.column("size").value_or(kNone);
  children_ = row.column("children").value_or(kNone);
  levels_.assign(1, Level{});
  in_number_ = after_value_ = done_ = false;
}

const char* TraceTreeReader::read(const char* p, const char* end, std::uint64_t offset) {
  for (; p < end && !done_; ++p, ++offset) {
    const char c = *p;
    if (c >= '0' && c <= '9') {
      if (!in_number_ && after_value_) fail(offset, "a comma is missing");
      if (!in_number_) value_ = 0;
      in_number_ = true;
      if (value_ > (~std::uint64_t{0} - 9) / 10) fail(offset, "a number needs more than 64 bits");
      value_ = value_ * 10 + static_cast<std::uint64_t>(c - '0');
      continue;
    }
    if (in_number_) number_ended(offset);
    switch (c) {
      case '[': open(offset); break;
      case ']': close(offset); break;
      case ',':
        if (!after_value_) fail(offset, "a value is missing before a comma");
        after_value_ = false;
        break;
      case ' ':
      case '\n':
      case '\r':
      case '\t': break;
      default: fail(offset, "only numbers, commas and brackets may stand here");
    }
  }
  return p;
}

void TraceTreeReader::open(std::uint64_t offset) {
  const Level& level = levels_.back();
  if (after_value_ || level.column != children_ || level.row == kNone)
    fail(offset, "a list stands where meta.trace_node_fields has a number");
  levels_.push_back(Level{level.row, kNone, 0});
}

void TraceTreeReader::close(std::uint64_t offset) {
  if (levels_.back().column != 0) fail(offset, "a row of the tree is cut short");
  levels_.pop_back();
  if (levels_.empty()) {
    done_ = true;
    return;
  }
  Level& level = levels_.back();
  if (++level.column == width_) level.column = 0;
  after_value_ = true;
}

void TraceTreeReader::number_ended(std::uint64_t offset) {
  in_number_ = false;
  after_value_ = true;
  Level& level = levels_.back();
  if (level.column == children_ || width_ == 0) fail(offset, "a number stands where the list of children belongs");
  if (level.column == 0) {
    level.row = static_cast<std::uint32_t>(into_->nodes.size());
    TraceNode node;
    node.parent = level.parent;
    into_->nodes.push_back(node);
  }
  TraceNode& node = into_->nodes[level.row];
  if (level.column == id_) node.id = static_cast<std::uint32_t>(value_);
  if (level.column == function_) node.function = static_cast<std::uint32_t>(value_);
  if (level.column == count_) node.count = static_cast<std::uint32_t>(value_);
  if (level.column == size_) node.bytes = value_;
  if (++level.column == width_) level.column = 0;
}

void TraceTreeReader::fail(std::uint64_t offset, const char* why) {
  throw SnapshotError("SNAPSHOT_SYNTAX", {offset, "the \"trace_tree\" section is broken", why,
                                          "capture the snapshot again, or read what precedes it with --salvage"});
}

}  // namespace crucible::heap
