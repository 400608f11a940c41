#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../recording/writer.h"
#include "counter_memory.h"

namespace crucible::process {

/**
 * Writes the program's counters into a recording, with no JavaScript running:
 * one group of channels for each kind and name, which comes into being when the
 * counter does.
 *
 * A row is written when it has changed; where it had not changed for a while
 * its old values are written once more, at the time when they were last seen,
 * so that a plateau has both its ends. A scan costs some 20 ns a row, and
 * writing one some 80 ns (`npm run bench:refcount`).
 *
 * One thread at a time.
 */
class CounterScanner {
 public:
  /** @param interval_ms shortest time between two scans; 0: every time that scan() is called */
  CounterScanner(std::shared_ptr<recording::RecordingWriter> writer, CounterMemory memory, double interval_ms);
  ~CounterScanner();
  CounterScanner(const CounterScanner&) = delete;
  CounterScanner& operator=(const CounterScanner&) = delete;

  /** Never throws: a counter for which there is no room in the recording is tried again later. */
  void scan(std::int64_t time_ns) noexcept;

  /** The values of all counters once more, changed or not: where their series end. */
  void finish(std::int64_t time_ns) noexcept;

 private:
  struct Row;

  void scan_now(std::int64_t time_ns, bool writes_all);
  void find_new_slots();
  void add_slot(std::uint32_t index);
  void read(Row& row) const;
  bool define(Row& row, std::int64_t time_ns);
  void write(Row& row, std::int64_t time_ns, bool is_always);

  std::shared_ptr<recording::RecordingWriter> writer_;
  CounterMemory memory_;
  std::int64_t interval_ns_;
  std::unique_ptr<recording::Stream> stream_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::uint32_t slots_seen_ = 0;
  /** Claimed when they were first seen, but not filled in yet. */
  std::vector<std::uint32_t> unready_slots_;
  std::int64_t next_scan_ns_ = 0;
  std::int64_t last_scan_ns_ = 0;
};

}  // namespace crucible::process
