#pragma once

#include <atomic>
#include <cstdint>

namespace v8 {
class Isolate;
}

namespace crucible::isolate {

/**
 * How far a snapshot has come, and whether it is still wanted. Laid out as
 * 32-bit words, so that other threads (a SharedArrayBuffer) and other processes
 * (shared memory) can read it and cancel while V8 blocks this thread.
 */
struct SnapshotControl {
  enum Phase : std::int32_t { not_begun = 0, taking = 1, writing = 2, ended = 3 };
  std::atomic<std::int32_t> phase;
  /** Of the phase, in hundredths of a percent. While writing: of an estimate of the size. */
  std::atomic<std::int32_t> progress;
  /** Other than 0: stop as soon as possible. */
  std::atomic<std::int32_t> cancel;
  std::atomic<std::int32_t> written_kib;
  /** Why it could not be written, of libuv; 0: no reason. */
  std::atomic<std::int32_t> error;
};
static_assert(sizeof(SnapshotControl) == 20);

struct SnapshotOptions {
  /** Where to write: stays open. */
  int descriptor;
  /** More is not written. */
  double bytes_max;
  /** Numbers become nodes of their own: a larger snapshot that tells values. */
  bool includes_numbers;
  SnapshotControl* control;
};

struct SnapshotOutcome {
  enum Kind { complete, cancelled, too_large, unwritable } kind;
  /** Of libuv, for unwritable: negative. */
  int error;
  double nodes;
  double bytes;
  double take_ns;
  double write_ns;
};

/**
 * Takes a heap snapshot and writes it as V8's JSON. Blocks JavaScript: 1.4 to
 * 4 us a node, nine tenths of it before the first byte is written, and V8
 * needs some 400 bytes a node meanwhile. It can be cancelled once V8 has done
 * its first collections, and at every 10,000 nodes from then on.
 */
[[nodiscard]] SnapshotOutcome write_snapshot(v8::Isolate* isolate, const SnapshotOptions& options);

/** Asks the allocator to return what the snapshot took; afterwards RSS is near what it was. Milliseconds. */
void give_memory_back() noexcept;

}  // namespace crucible::isolate
