#include "heap/parse/file_parser.h"

#include <memory>

#include "heap/parse/location_rows.h"
#include "heap/parse/parallel_rows.h"

namespace crucible::heap {

/** Feeds a file to the parser, and takes the sections of rows past it when it can. */
class FileParser {
 public:
  FileParser(const std::string& path, ParseOptions options, const Crew& crew, Progress& progress)
      : file_(std::make_shared<FileBytes>(path)), parser_(options, file_), crew_(crew), progress_(progress) {}

  HeapGraph parse() {
    read_on();
    // Locations are written in no order. What follows them is read by one thread, and is not about them.
    Locations& locations = parser_.graph_.locations;
    if (!locations.rows().empty())
      crew_.both([&] { read_on(); }, [&] { locations.sort(static_cast<std::uint32_t>(parser_.node_rows_->declared())); });
    return parser_.finish(crew_);
  }

 private:
  /** Until the locations have been read by all threads, or the end. */
  void read_on() {
    constexpr std::size_t kPiece = 1 << 20;
    const auto piece = std::make_unique<char[]>(kPiece);
    while (parser_.place_ != SnapshotParser::Place::kStopped) {
      progress_.at(parser_.offset_, file_->size());
      const std::size_t got = file_->read_at(parser_.offset_, piece.get(), kPiece);
      if (got == 0) break;
      for (std::size_t used = 0; used < got;) {
        used += parser_.feed_until_rows(piece.get() + used, got - used, true);
        if (!parser_.at_rows_) continue;
        const bool are_locations = parser_.section_ == SnapshotParser::Section::kLocations;
        if (!skip_rows()) continue;
        if (are_locations) return;
        break;
      }
    }
  }

  /** True if the section in front of the parser was read, and the parser now stands behind it. */
  bool skip_rows() {
    if (parser_.section_ == SnapshotParser::Section::kNodes)
      return skip(*parser_.node_rows_, parser_.node_part_, parser_.node_numbers_);
    if (parser_.section_ == SnapshotParser::Section::kEdges)
      return skip(*parser_.edge_rows_, parser_.edge_part_, parser_.edge_numbers_);
    return skip_locations();
  }

  bool skip_locations() {
    Locations& locations = parser_.graph_.locations;
    LocationRows rows(parser_.graph_.meta, file_->size() - parser_.offset_, locations);
    LocationRows::Part part;
    std::uint64_t numbers = 0;
    const bool skipped = skip(rows, part, numbers);
    locations.resize(skipped ? numbers / rows.width() : 0);
    return skipped;
  }

  template <class Rows>
  bool skip(Rows& rows, typename Rows::Part& part, std::uint64_t& numbers) {
    auto result = ParallelRows<Rows>(*file_, parser_.offset_, rows, crew_, progress_).read();
    if (!result || result->number_count % rows.width() != 0) return false;
    parser_.at_rows_ = false;
    part = std::move(result->part);
    numbers = result->number_count;
    parser_.offset_ = result->end_offset;
    parser_.value_offset_ = result->end_offset;
    parser_.leave_section();
    return true;
  }

  std::shared_ptr<const FileBytes> file_;
  SnapshotParser parser_;
  const Crew& crew_;
  Progress& progress_;
};

HeapGraph parse_file(const std::string& path, ParseOptions options, const Crew& crew, Progress& progress) {
  progress.enter(Phase::kParsing);
  return FileParser(path, options, crew, progress).parse();
}

}  // namespace crucible::heap
