#include "heap/export/redacted_snapshot.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "heap/export/output_file.h"
#include "heap/json/json_writer.h"
#include "heap/parse/string_reader.h"
#include "heap/query/redaction.h"

namespace crucible::heap {

namespace {

/** How each string of the table is used, by all nodes, edges and functions together. */
Table<Text, std::uint8_t> find_uses(const HeapGraph& graph, Progress& progress) {
  Table<Text, std::uint8_t> uses(graph.strings.size());
  const auto use = [&](Text text, Redaction::Use how) {
    if (text.value < uses.size()) uses[text] |= how;
  };
  for (const Node node : graph.all_nodes()) {
    if ((node.value & 0xFFFF) == 0) progress.at(node.value, graph.node_count());
    use(graph.name(node), Redaction::use_of_name(graph, node));
    for (const Edge edge : graph.edges_of(node))
      if (graph.has_text_name(edge)) use(graph.name(edge), Redaction::use_of_name(graph, edge));
  }
  for (const TraceFunction& function : graph.traces.functions) {
    use(function.name, Redaction::kName);
    use(function.script_name, Redaction::kScript);
  }
  return uses;
}

[[noreturn]] void throw_changed(const std::string& path) {
  throw SnapshotError("SNAPSHOT_UNREADABLE", {kNoOffset, path + " is not what was analysed", "its strings differ",
                                              "keep the file as it is until the redacted copy is written"});
}

/** The original's bytes in order, with other strings. */
class Copy {
 public:
  Copy(const ReadHeap& heap, OutputFile& out, Progress& progress)
      : path_(heap.path),
        strings_(heap.snapshot.graph.strings),
        place_(strings_.place()),
        uses_(find_uses(heap.snapshot.graph, progress)),
        out_(out) {
    reader_.begin();
  }

  void feed(const char* bytes, std::size_t size) {
    const char* const end = bytes + size;
    while (bytes < end) {
      if (offset_ < place_.begin) bytes = copy(bytes, end, place_.begin);
      else if (offset_ < place_.end) bytes = redact(bytes, end);
      else bytes = copy(bytes, end, kNoOffset);
    }
  }

  void finish() const {
    if (offset_ < place_.end || next_ != strings_.size()) throw_changed(path_);
  }

 private:
  const char* copy(const char* bytes, const char* end, std::uint64_t until) {
    const auto count = std::min<std::uint64_t>(until - offset_, static_cast<std::uint64_t>(end - bytes));
    out_.write({bytes, static_cast<std::size_t>(count)});
    offset_ += count;
    return bytes + count;
  }

  const char* redact(const char* bytes, const char* end) {
    const char* const stop = bytes + std::min<std::uint64_t>(place_.end - offset_, static_cast<std::uint64_t>(end - bytes));
    read(bytes, stop);
    offset_ += static_cast<std::uint64_t>(stop - bytes);
    if (offset_ == place_.end) {
      if (!reader_.done()) throw_changed(path_);
      out_.write("]");
    }
    return stop;
  }

  void read(const char* bytes, const char* stop) {
    bool is_list = true;
    try {
      is_list = reader_.read(bytes, stop, offset_, [this](std::uint64_t, std::string_view text) { take(text); }) == stop;
    } catch (const SnapshotError& error) {
      if (std::string_view(error.code()) != "SNAPSHOT_SYNTAX") throw;
      is_list = false;
    }
    if (!is_list) throw_changed(path_);
  }

  void take(std::string_view text) {
    const Text index{next_++};
    if (index.value >= strings_.size() || !strings_.is(index, hash_text(text))) throw_changed(path_);
    line_ = index.value == 0 ? "\"" : ",\n\"";
    append_json_text(line_, Redaction::of_this_process().clean(text, uses_[index]));
    line_ += '"';
    out_.write(line_);
  }

  const std::string& path_;
  const StringTable& strings_;
  const StringTable::Place place_;
  const Table<Text, std::uint8_t> uses_;
  OutputFile& out_;
  StringReader reader_;
  std::uint64_t offset_ = 0;
  std::uint32_t next_ = 0;
  std::string line_;
};

}  // namespace

void write_redacted_snapshot(const ReadHeap& heap, HeapSource original, const std::string& path, Progress& progress) {
  constexpr std::size_t kPiece = 1 << 20;
  progress.enter(Phase::kWriting);
  if (!heap.snapshot.graph.missing.empty()) {
    throw SnapshotError("SNAPSHOT_TRUNCATED", {kNoOffset, heap.path + " is damaged and cannot be redacted",
                                               "what could not be read may hold anything",
                                               "capture the snapshot again, or share the redacted report instead"});
  }
  OutputFile out(path);
  Copy copy(heap, out, progress);
  const std::uint64_t size = heap.snapshot.graph.strings.place().end;
  const auto piece = std::make_unique<char[]>(kPiece);
  std::optional<FileBytes> file;
  if (!original.descriptor.is_open()) file.emplace(original.path);
  for (std::uint64_t done = 0;;) {
    progress.at(std::min(done, size), size);
    const std::size_t got = file ? file->read_at(done, piece.get(), kPiece)
                                 : original.descriptor.read(piece.get(), kPiece, progress);
    if (got == 0) break;
    copy.feed(piece.get(), got);
    done += got;
  }
  copy.finish();
  out.commit();
  progress.enter(Phase::kDone);
}

}  // namespace crucible::heap
