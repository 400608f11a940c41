#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../recording/writer.h"

namespace crucible::process {

/**
 * Records what the capture itself counts in shared memory, at the ticks at which some of it has changed; the
 * program's own counters are found by name (CounterScanner).
 */
class SlotScanner {
 public:
  explicit SlotScanner(std::shared_ptr<recording::RecordingWriter> writer) : writer_(std::move(writer)) {}

  /**
   * From any thread. Names of channels are new to the recording.
   * @param slots a channel each; must stay readable until close()
   * @throws Failure USAGE, RECORDING_UNWRITABLE
   */
  void watch(const std::string& group, const std::vector<recording::ChannelDefinition>& channels,
             const std::atomic<std::int32_t>* slots);
  /** On one thread at a time. */
  void scan(std::int64_t now_ns);
  /** Seals its streams, and lets the recording be closed. */
  void close();

 private:
  /** Slots as they were when they were last written. */
  struct Track {
    std::shared_ptr<const recording::Group> group;
    std::unique_ptr<recording::Stream> stream;
    const std::atomic<std::int32_t>* slots;
    std::vector<double> values;
  };

  std::shared_ptr<recording::RecordingWriter> writer_;
  std::mutex mutex_;
  std::vector<Track> tracks_;
  bool is_closed_ = false;
};

}  // namespace crucible::process
