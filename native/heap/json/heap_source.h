#pragma once

#include <memory>
#include <string>

#include "heap/analysis/snapshot.h"
#include "heap/base/descriptor.h"
#include "heap/query/script_names.h"
#include "heap/query/redaction.h"

namespace crucible::heap {

/** A snapshot that is yet to be read: a file, or what comes out of a descriptor. */
struct HeapSource {
  /** With a descriptor only its name in answers. */
  std::string path;
  /** Read to its end and closed, if it is open. */
  Descriptor descriptor;
};

struct ReadOptions {
  bool salvage = false;
  /** 0: as many as the machine has cores, at most 8. */
  unsigned threads = 0;
  /** Contents of strings appear as length and keyed hash in every answer. */
  bool redact = false;
};

/** Throws a SnapshotError. */
[[nodiscard]] Snapshot read_source(HeapSource& source, const ReadOptions& options, AnalysisOptions analysis,
                                   Progress& progress);

/** A heap that has been read, for questions: any thread may ask, several at once. */
struct ReadHeap {
  /** Throws a SnapshotError. */
  ReadHeap(HeapSource source, const ReadOptions& options, Progress& progress);
  ReadHeap(std::string name, Snapshot analysed, bool redact);

  std::string path;
  Snapshot snapshot;
  ScriptNames scripts;
  /** None: names as they are. */
  const Redaction* redaction;
};

}  // namespace crucible::heap
