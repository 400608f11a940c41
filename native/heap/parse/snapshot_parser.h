#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heap/base/crew.h"
#include "heap/base/progress.h"
#include "heap/graph/heap_graph.h"
#include "heap/base/byte_source.h"
#include "heap/parse/number_reader.h"
#include "heap/parse/row_columns.h"
#include "heap/parse/string_reader.h"
#include "heap/parse/trace_tree_reader.h"
#include "heap/parse/value_skipper.h"

namespace crucible::heap {

struct ParseOptions {
  /** Stop at the first damage and keep what was read; `HeapGraph::missing` says what is not there. */
  bool salvage = false;
};

/**
 * Reads a heap snapshot or heap timeline as it arrives: feed() any pieces, then
 * finish(). Sections may come in any order; columns are those that the file
 * declares; memory grows with what was read and never with what was promised.
 */
class SnapshotParser {
 public:
  /** @param file where the same bytes can be read again; without it strings are spooled */
  explicit SnapshotParser(ParseOptions options = {}, std::shared_ptr<const ByteSource> file = nullptr);

  /** Throws a SnapshotError with the offset of the first byte that is wrong. */
  void feed(const char* bytes, std::size_t size);
  /** Checks what can only be checked at the end, and gives the graph away. */
  [[nodiscard]] HeapGraph finish(const Crew& crew = Crew(1));
  /** Bytes read so far. */
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  friend class FileParser;

  enum class Place : std::uint8_t {
    kStart,
    kFirstKey,
    kKey,
    kInKey,
    kColon,
    kValue,
    kInValue,
    kAfterValue,
    kEnd,
    kStopped,
  };
  enum class Section : std::uint8_t {
    kMeta,
    kNodes,
    kEdges,
    kLocations,
    kFunctions,
    kTraceTree,
    kSamples,
    kStrings,
    kDeferred,
    kUnknown,
  };
  /** A section that came before "snapshot", which says how to read it. */
  struct Deferred {
    Section section;
    std::string text;
    std::uint64_t offset;
  };

  /** Like feed(), but returns early, in front of the first number of a section of rows. */
  std::size_t feed_until_rows(const char* bytes, std::size_t size, bool stop_at_rows);
  const char* read_structure(const char* p, std::uint64_t offset);
  const char* read_value(const char* p, const char* end, std::uint64_t offset);
  void enter_section(std::uint64_t offset);
  void open_section(Section section, std::uint64_t offset);
  void leave_section();
  void take_numbers(std::uint64_t ordinal, const std::uint64_t* values, std::size_t count, const BatchPlace& place);
  void take_small_rows(std::uint64_t ordinal, const std::uint64_t* values, std::size_t count, const BatchPlace& place);
  void take_row(const BatchPlace& place, std::size_t last_value);
  void take_location(const BatchPlace& place, std::size_t last_value, const Location& location);
  void take_string(std::uint64_t offset, std::string_view text);
  void read_deferred();
  void rows_ended(std::uint64_t numbers, std::uint64_t width, std::uint64_t declared, const char* name,
                  std::uint64_t offset);
  void note_truncation();
  [[noreturn]] void fail_structure(std::uint64_t offset, const char* why) const;
  const RowLayout& small_row() const;

  ParseOptions options_;
  std::shared_ptr<const ByteSource> file_;
  std::shared_ptr<SpooledBytes> spool_;
  HeapGraph graph_;
  bool has_meta_ = false;
  std::optional<NodeRows> node_rows_;
  std::optional<EdgeRows> edge_rows_;
  NodeRows::Part node_part_;
  EdgeRows::Part edge_part_;
  std::uint64_t node_numbers_ = 0, edge_numbers_ = 0;
  std::uint64_t nodes_offset_ = kNoOffset, edges_offset_ = kNoOffset;
  std::vector<std::uint64_t> row_;
  /** Where the columns of the current section of small rows are. */
  struct SmallColumns {
    std::uint32_t script_id, line, column, object_index, function_id, name, script_name, timestamp_us, last_assigned_id;
  };
  SmallColumns columns_{};
  std::vector<Deferred> deferred_;
  std::vector<std::string> seen_;

  Place place_ = Place::kStart;
  Section section_ = Section::kUnknown;
  Section deferred_section_ = Section::kUnknown;
  std::string key_;
  std::string meta_text_;
  std::uint64_t value_offset_ = 0;
  std::uint64_t offset_ = 0;
  /** The parser stands right behind the bracket that opens nodes, edges or locations. */
  bool at_rows_ = false;
  std::uint32_t bom_bytes_ = 0;
  NumberReader numbers_;
  StringReader strings_;
  TraceTreeReader tree_;
  ValueSkipper skipper_;
};

/** Reads a stream's worth of bytes that are all in memory. */
[[nodiscard]] HeapGraph parse_bytes(const char* bytes, std::size_t size, ParseOptions options = {});

}  // namespace crucible::heap
