#include "slot_scanner.h"

#include "../recording/failure.h"
#include "memory_source.h"

namespace crucible::process {

void SlotScanner::watch(const std::string& group, const std::vector<recording::ChannelDefinition>& channels,
                        const std::atomic<std::int32_t>* slots) {
  const std::lock_guard lock(mutex_);
  if (is_closed_)
    throw Failure("USAGE", {"the slots of " + group + " cannot be watched", "the sampler has been stopped",
                            "add them while it runs"});
  Track track;
  track.group = writer_->define_group(group, channels);
  track.stream = writer_->open_stream();
  track.stream->attach(*track.group);
  track.slots = slots;
  track.values.assign(channels.size(), kAbsent);
  tracks_.push_back(std::move(track));
}

/** The last value of a slot holds until the next one, so what has not changed is not repeated. */
void SlotScanner::scan(std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  for (Track& track : tracks_) {
    bool has_changed = false;
    for (std::size_t i = 0; i < track.values.size(); i++) {
      const double value = track.slots[i].load(std::memory_order_relaxed);
      has_changed |= value != track.values[i];
      track.values[i] = value;
    }
    if (has_changed) track.stream->sample(*track.group, track.values, now_ns);
  }
}

void SlotScanner::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  tracks_.clear();
}

}  // namespace crucible::process
