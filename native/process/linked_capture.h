#pragma once

#include <atomic>
#include <memory>

#include "../recording/writer.h"
#include "capture_link.h"
#include "tick_hub.h"

namespace crucible::process {

/** A recording and a sampler's ticks as a CaptureLink. Lives as long as anybody holds it. */
class LinkedCapture {
 public:
  /** The caller holds the link, and releases it through its own table. */
  [[nodiscard]] static const CaptureLink* create(std::shared_ptr<recording::RecordingWriter> writer,
                                                 std::shared_ptr<TickHub> ticks);

 private:
  LinkedCapture(std::shared_ptr<recording::RecordingWriter> writer, std::shared_ptr<TickHub> ticks);

  CaptureLink table_;
  std::atomic<int> holders_{1};
  std::shared_ptr<recording::RecordingWriter> writer_;
  std::shared_ptr<TickHub> ticks_;
};

}  // namespace crucible::process
