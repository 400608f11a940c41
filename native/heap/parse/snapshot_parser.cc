#include "heap/parse/snapshot_parser.h"

#include <algorithm>

#include "heap/base/snapshot_error.h"
#include "heap/parse/meta_reader.h"
#include "heap/parse/seal_graph.h"

namespace crucible::heap {

namespace {

/** A real "snapshot" section has about two kilobytes. */
constexpr std::size_t kMetaBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kKeyBytesMax = 4096;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

SnapshotParser::SnapshotParser(ParseOptions options, std::shared_ptr<const ByteSource> file)
    : options_(options), file_(std::move(file)) {
  if (file_ == nullptr) spool_ = std::make_shared<SpooledBytes>();
}

void SnapshotParser::feed(const char* bytes, std::size_t size) { feed_until_rows(bytes, size, false); }

std::size_t SnapshotParser::feed_until_rows(const char* bytes, std::size_t size, bool stop_at_rows) {
  const char* p = bytes;
  const char* const end = bytes + size;
  try {
    while (p < end && place_ != Place::kStopped) {
      const std::uint64_t here = offset_ + static_cast<std::uint64_t>(p - bytes);
      if (place_ == Place::kInValue) {
        p = read_value(p, end, here);
      } else {
        p = read_structure(p, here);
        if (stop_at_rows && at_rows_) break;
      }
    }
  } catch (const SnapshotError& error) {
    if (!options_.salvage || std::string_view(error.code()) == "INTERRUPTED") throw;
    graph_.missing.push_back("everything from byte " + std::to_string(error.parts().byte_offset) + " on: " + error.what());
    place_ = Place::kStopped;
    p = end;
  }
  const auto consumed = static_cast<std::size_t>(p - bytes);
  offset_ += consumed;
  return consumed;
}

/** One byte between the values: braces, names, colons and commas of the outer object. */
const char* SnapshotParser::read_structure(const char* p, std::uint64_t offset) {
  const char c = *p;
  if (place_ == Place::kInKey) {
    if (c == '"') {
      place_ = Place::kColon;
    } else if (key_.size() < kKeyBytesMax) {
      key_ += c;
    } else {
      fail_structure(offset, "a section's name is longer than any that V8 writes");
    }
    return p + 1;
  }
  if (is_space(c)) return p + 1;
  switch (place_) {
    case Place::kStart: {
      static constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
      if (bom_bytes_ < 3 && c == kByteOrderMark[bom_bytes_]) {
        ++bom_bytes_;
      } else if (c == '{') {
        place_ = Place::kFirstKey;
      } else if (c == '\x1F' && offset == 0) {
        throw SnapshotError("SNAPSHOT_COMPRESSED", {0, "the snapshot is compressed with gzip",
                                                    "its bytes were handed over as they are", "decompress them first"});
      } else {
        fail_structure(offset, "a snapshot begins with an opening brace");
      }
      return p + 1;
    }
    case Place::kFirstKey:
    case Place::kKey:
      if (c == '"') {
        key_.clear();
        place_ = Place::kInKey;
      } else if (c == '}' && place_ == Place::kFirstKey) {
        place_ = Place::kEnd;
      } else {
        fail_structure(offset, "the name of a section belongs here");
      }
      return p + 1;
    case Place::kColon:
      if (c != ':') fail_structure(offset, "a colon belongs after the name of a section");
      place_ = Place::kValue;
      return p + 1;
    case Place::kValue:
      enter_section(offset);
      // Lists are read from behind their bracket, everything else from its first byte.
      if (section_ == Section::kMeta || section_ == Section::kDeferred || section_ == Section::kUnknown) return p;
      if (c != '[') fail_structure(offset, "this section must be a list");
      return p + 1;
    case Place::kAfterValue:
      if (c == ',') {
        place_ = Place::kKey;
      } else if (c == '}') {
        place_ = Place::kEnd;
      } else {
        fail_structure(offset, "a comma or the closing brace belongs here");
      }
      return p + 1;
    default: fail_structure(offset, "something follows the end of the snapshot");
  }
}

void SnapshotParser::enter_section(std::uint64_t offset) {
  static constexpr std::pair<const char*, Section> kSections[] = {
      {"snapshot", Section::kMeta},        {"nodes", Section::kNodes},
      {"edges", Section::kEdges},          {"locations", Section::kLocations},
      {"trace_function_infos", Section::kFunctions}, {"trace_tree", Section::kTraceTree},
      {"samples", Section::kSamples},      {"strings", Section::kStrings}};
  Section section = Section::kUnknown;
  for (const auto& [name, known] : kSections)
    if (key_ == name) section = known;
  if (section != Section::kUnknown) {
    if (std::find(seen_.begin(), seen_.end(), key_) != seen_.end())
      fail_structure(offset, "the file has this section twice");
    seen_.push_back(key_);
  }
  if (!has_meta_ && section != Section::kMeta && section != Section::kStrings && section != Section::kUnknown) {
    deferred_.push_back({section, {}, offset});
    section = Section::kDeferred;
  }
  open_section(section, offset);
}

void SnapshotParser::open_section(Section section, std::uint64_t offset) {
  section_ = section;
  value_offset_ = offset;
  place_ = Place::kInValue;
  row_.clear();
  switch (section) {
    case Section::kNodes:
      nodes_offset_ = offset + 1;
      at_rows_ = true;
      break;
    case Section::kEdges:
      edges_offset_ = offset + 1;
      at_rows_ = true;
      break;
    case Section::kTraceTree: tree_.begin(graph_.meta, graph_.traces); return;
    case Section::kStrings:
      graph_.strings.begin_at(offset + 1);
      strings_.begin();
      return;
    case Section::kMeta:
    case Section::kDeferred:
    case Section::kUnknown: skipper_.begin(); return;
    default: {
      at_rows_ = section == Section::kLocations;
      const RowLayout& row = small_row();
      const auto at = [&row](const char* name) { return row.column(name).value_or(kNone); };
      columns_ = {at("script_id"),   at("line"),        at("column"),       at("object_index"),    at("function_id"),
                  at("name"),        at("script_name"), at("timestamp_us"), at("last_assigned_id")};
    }
  }
  numbers_.begin(section == Section::kEdges);
}

const char* SnapshotParser::read_value(const char* p, const char* end, std::uint64_t offset) {
  const char* after = p;
  bool done = false;
  at_rows_ = false;
  switch (section_) {
    case Section::kMeta:
    case Section::kDeferred:
    case Section::kUnknown: {
      after = skipper_.read(p, end);
      done = skipper_.done();
      if (section_ == Section::kMeta) meta_text_.append(p, after);
      if (section_ == Section::kDeferred) deferred_.back().text.append(p, after);
      if (meta_text_.size() > kMetaBytesMax) fail_structure(offset, "the section is larger than any that V8 writes");
      break;
    }
    case Section::kTraceTree:
      after = tree_.read(p, end, offset);
      done = tree_.done();
      break;
    case Section::kStrings:
      after = strings_.read(p, end, offset,
                            [this](std::uint64_t at, std::string_view text) { take_string(at, text); });
      done = strings_.done();
      break;
    default:
      after = numbers_.read(p, end, offset,
                            [this](std::uint64_t ordinal, const std::uint64_t* values, std::size_t count,
                                   const BatchPlace& place) { take_numbers(ordinal, values, count, place); });
      done = numbers_.done();
  }
  if (done) {
    value_offset_ = offset + static_cast<std::uint64_t>(after - p);
    leave_section();
  }
  return after;
}

void SnapshotParser::leave_section() {
  place_ = Place::kAfterValue;
  const Section section = section_;
  section_ = Section::kUnknown;
  switch (section) {
    case Section::kMeta:
      graph_.meta = read_meta(meta_text_, value_offset_ - meta_text_.size());
      node_rows_.emplace(graph_.meta, graph_.nodes);
      edge_rows_.emplace(graph_.meta, graph_.edges, options_.salvage);
      has_meta_ = true;
      read_deferred();
      break;
    case Section::kNodes:
      rows_ended(node_numbers_, node_rows_->width(), node_rows_->declared(), "nodes", value_offset_);
      break;
    case Section::kEdges:
      rows_ended(edge_numbers_, edge_rows_->width(), edge_rows_->declared(), "edges", value_offset_);
      break;
    case Section::kLocations:
    case Section::kSamples:
    case Section::kFunctions:
      if (!row_.empty()) fail_structure(value_offset_, "the last row of this section is cut short");
      break;
    case Section::kStrings: graph_.strings.end_at(value_offset_); break;
    default: break;
  }
}

void SnapshotParser::rows_ended(std::uint64_t numbers, std::uint64_t width, std::uint64_t declared, const char* name,
                                std::uint64_t offset) {
  if (numbers == declared * width) return;
  if (options_.salvage) {
    graph_.missing.push_back("\"" + std::string(name) + "\" has " + std::to_string(numbers / width) + " of " +
                             std::to_string(declared) + " rows");
    return;
  }
  const std::string found = numbers % width == 0 ? std::to_string(numbers / width)
                                                 : std::to_string(numbers / width) + " and a part of another";
  throw SnapshotError("SNAPSHOT_COUNT",
                      {offset, "\"" + std::string(name) + "\" has " + found + " rows",
                       "the \"snapshot\" section declares " + std::to_string(declared),
                       "capture the snapshot again, or read what is there with --salvage"});
}

void SnapshotParser::read_deferred() {
  const std::vector<Deferred> deferred = std::move(deferred_);
  deferred_.clear();
  for (const Deferred& each : deferred) {
    const char* p = each.text.data();
    const char* const end = p + each.text.size();
    if (each.text.empty() || *p != '[') fail_structure(each.offset, "this section must be a list");
    open_section(each.section, each.offset);
    for (++p; p < end && place_ == Place::kInValue;)
      p = read_value(p, end, each.offset + static_cast<std::uint64_t>(p - each.text.data()));
    if (place_ == Place::kInValue) fail_structure(each.offset, "this section does not end");
  }
  place_ = Place::kAfterValue;
}

void SnapshotParser::take_numbers(std::uint64_t ordinal, const std::uint64_t* values, std::size_t count,
                                  const BatchPlace& place) {
  const auto take_into = [&](auto& rows, auto& part, std::uint64_t& numbers) {
    const std::uint64_t limit = rows.declared() * rows.width();
    if (ordinal + count > limit) {
      throw SnapshotError("SNAPSHOT_COUNT",
                          {place.offset_of(limit - ordinal),
                           std::string("\"") + rows.kName + "\" has more rows than declared",
                           "the \"snapshot\" section declares " + std::to_string(rows.declared()),
                           "capture the snapshot again, or read the declared rows with --salvage"});
    }
    // A file that is long enough for what it declares gets its columns in one piece.
    const bool plausible = file_ != nullptr && limit <= file_->size() / 2 + 1;
    rows.make_room(plausible ? rows.declared() : (ordinal + count + rows.width() - 1) / rows.width());
    rows.take(part, ordinal, values, count, place);
    numbers = ordinal + count;
  };
  switch (section_) {
    case Section::kNodes: take_into(*node_rows_, node_part_, node_numbers_); break;
    case Section::kEdges: take_into(*edge_rows_, edge_part_, edge_numbers_); break;
    default: take_small_rows(ordinal, values, count, place);
  }
}

const RowLayout& SnapshotParser::small_row() const {
  if (section_ == Section::kLocations) return graph_.meta.location_row;
  if (section_ == Section::kSamples) return graph_.meta.sample_row;
  return graph_.meta.function_row;
}

void SnapshotParser::take_small_rows(std::uint64_t, const std::uint64_t* values, std::size_t count,
                                     const BatchPlace& place) {
  const std::uint32_t width = small_row().width();
  if (width == 0) fail_structure(place.offset_of(0), "meta names no columns for this section");
  for (std::size_t at = 0; at < count; ++at) {
    row_.push_back(values[at]);
    if (row_.size() < width) continue;
    take_row(place, at);
    row_.clear();
  }
}

void SnapshotParser::take_row(const BatchPlace& place, std::size_t last_value) {
  const auto value = [&](std::uint32_t column) -> std::uint64_t { return column == kNone ? 0 : row_[column]; };
  const auto narrow = [&](std::uint32_t column) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value(column), kNone));
  };
  const Location location{narrow(columns_.script_id), narrow(columns_.line), narrow(columns_.column)};
  if (section_ == Section::kSamples) {
    graph_.samples.push_back({value(columns_.timestamp_us), value(columns_.last_assigned_id)});
  } else if (section_ == Section::kFunctions) {
    // Here, and only here, V8 counts lines and columns from one; zero is no place at all.
    const Location place_of{location.script_id, std::max(location.line, 1u) - 1, std::max(location.column, 1u) - 1};
    graph_.traces.functions.push_back({narrow(columns_.function_id), Text{narrow(columns_.name)},
                                       Text{narrow(columns_.script_name)}, place_of});
  } else {
    take_location(place, last_value, location);
  }
}

void SnapshotParser::take_location(const BatchPlace& place, std::size_t last_value, const Location& location) {
  const std::uint64_t index = columns_.object_index == kNone ? kNoOffset : row_[columns_.object_index];
  const std::uint64_t width = node_rows_->width();
  if (index % width == 0 && index / width < node_rows_->declared()) {
    graph_.locations.append({Node{static_cast<std::uint32_t>(index / width)}, location});
  } else if (!options_.salvage) {
    throw_out_of_range("locations", graph_.locations.rows().size(), "object_index", index,
                       "it must be a multiple of " + std::to_string(width) + " below " +
                           std::to_string(node_rows_->declared() * width),
                       place.offset_of(last_value));
  }
}

void SnapshotParser::take_string(std::uint64_t offset, std::string_view text) {
  if (graph_.strings.size() == kNone - 1) fail_structure(offset, "more strings than can be indexed");
  const Text index{graph_.strings.size()};
  graph_.ephemerons.consider(index, text);
  if (spool_ == nullptr) {
    graph_.strings.append(offset, text);
    return;
  }
  graph_.strings.append(spool_->size(), text);
  std::string body;
  for (const char c : text) {
    if (c == '"' || c == '\\') body += '\\';
    body += c;
  }
  body += '"';
  spool_->append(body.data(), body.size());
}

void SnapshotParser::fail_structure(std::uint64_t offset, const char* why) const {
  const bool known = has_meta_ || !seen_.empty();
  const std::string where = place_ == Place::kInValue && !key_.empty() ? " in section \"" + key_ + "\"" : "";
  throw SnapshotError(known ? "SNAPSHOT_SYNTAX" : "SNAPSHOT_FOREIGN",
                      {offset, known ? "the snapshot is broken" + where : "this is not a heap snapshot", why,
                       known ? "capture the snapshot again, or read what precedes it with --salvage"
                             : "give a file written by v8.writeHeapSnapshot, DevTools or --heapsnapshot-signal"});
}

void SnapshotParser::note_truncation() {
  if (place_ == Place::kEnd || place_ == Place::kStopped) return;
  const std::string inside = place_ == Place::kInValue && !key_.empty() ? ", inside \"" + key_ + "\"" : "";
  if (options_.salvage) {
    graph_.missing.push_back("everything from byte " + std::to_string(offset_) + " on: the file ends there" + inside);
    return;
  }
  if (offset_ <= bom_bytes_ || place_ == Place::kStart) {
    throw SnapshotError("SNAPSHOT_EMPTY", {0, "the snapshot is empty", "the file has no content",
                                           "capture again and let the process finish writing"});
  }
  throw SnapshotError("SNAPSHOT_TRUNCATED",
                      {offset_, "the snapshot ends after " + std::to_string(offset_) + " bytes" + inside,
                       "the process ended, or the disk was full, while it was being written",
                       "capture again and let the process finish, or read what is there with --salvage"});
}

HeapGraph SnapshotParser::finish(const Crew& crew) {
  note_truncation();
  if (!has_meta_) {
    throw SnapshotError("SNAPSHOT_FOREIGN", {0, "this is not a heap snapshot", "it has no \"snapshot\" section",
                                             "give a file written by v8.writeHeapSnapshot, DevTools or "
                                             "--heapsnapshot-signal"});
  }
  for (const char* needed : {"nodes", "edges", "strings"}) {
    if (options_.salvage || std::find(seen_.begin(), seen_.end(), needed) != seen_.end()) continue;
    throw SnapshotError("SNAPSHOT_SYNTAX", {offset_, std::string("the section \"") + needed + "\" is missing",
                                            "every heap snapshot has one", "capture the snapshot again"});
  }
  const std::uint64_t nodes = node_numbers_ / node_rows_->width();
  const std::uint64_t edges = edge_numbers_ / edge_rows_->width();
  SealFacts facts{options_.salvage, file_.get(), nodes_offset_, edges_offset_, node_part_.edge_total,
                  node_part_.name_max, node_part_.name_max_row, edge_part_.dropped};
  node_rows_->finish(nodes, std::move(node_part_));
  edge_rows_->finish(edges, std::move(edge_part_));
  graph_.strings.shrink_to_fit();
  graph_.strings.attach(spool_ != nullptr ? std::shared_ptr<const ByteSource>(spool_) : file_);
  crew.both([&] { seal_graph(graph_, facts, crew); },
            [&] {
              graph_.locations.finish(static_cast<std::uint32_t>(nodes));
              graph_.ephemerons.finish(graph_.strings.size());
            });
  return std::move(graph_);
}

HeapGraph parse_bytes(const char* bytes, std::size_t size, ParseOptions options) {
  SnapshotParser parser(options);
  parser.feed(bytes, size);
  return parser.finish();
}

}  // namespace crucible::heap
