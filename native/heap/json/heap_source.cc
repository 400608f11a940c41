#include "heap/json/heap_source.h"

#include "heap/parse/snapshot_parser.h"

namespace crucible::heap {

namespace {

HeapGraph parse_descriptor(Descriptor& descriptor, const ReadOptions& options, const Crew& crew, Progress& progress) {
  constexpr std::size_t kPiece = 1 << 20;
  progress.enter(Phase::kParsing);
  SnapshotParser parser(ParseOptions{options.salvage});
  const auto piece = std::make_unique<char[]>(kPiece);
  while (const std::size_t got = descriptor.read(piece.get(), kPiece, progress)) parser.feed(piece.get(), got);
  return parser.finish(crew);
}

Snapshot read(HeapSource& source, const ReadOptions& options, AnalysisOptions analysis, Progress& progress) {
  const Crew crew(options.threads);
  if (!source.descriptor.is_open())
    return read_snapshot(source.path, ParseOptions{options.salvage}, std::move(analysis), crew, progress);
  HeapGraph graph = parse_descriptor(source.descriptor, options, crew, progress);
  source.descriptor = Descriptor();
  return analyse(std::move(graph), std::move(analysis), crew, progress);
}

}  // namespace

Snapshot read_source(HeapSource& source, const ReadOptions& options, AnalysisOptions analysis, Progress& progress) {
  try {
    return read(source, options, std::move(analysis), progress);
  } catch (const SnapshotError& error) {
    // The parser knows bytes only; of several files somebody wants to know which.
    ErrorParts parts = error.parts();
    if (parts.what.find(source.path) == std::string::npos) parts.what = source.path + ": " + parts.what;
    throw SnapshotError(error.code(), std::move(parts));
  }
}

ReadHeap::ReadHeap(HeapSource source, const ReadOptions& options, Progress& progress)
    : ReadHeap(source.path, read_source(source, options, {}, progress), options.redact) {}

ReadHeap::ReadHeap(std::string name, Snapshot analysed, bool redact)
    : path(std::move(name)),
      snapshot(std::move(analysed)),
      scripts(snapshot.graph),
      redaction(redact ? &Redaction::of_this_process() : nullptr) {}

}  // namespace crucible::heap
