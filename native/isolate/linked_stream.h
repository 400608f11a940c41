#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../process/capture_link.h"

namespace crucible::isolate {

/** The recording and the ticks that core.node lends, held for as long as this lives. */
class LinkHolder {
 public:
  explicit LinkHolder(const CaptureLink* link) : link_(link) { link_->retain(link_->self); }
  ~LinkHolder() { link_->release(link_->self); }
  LinkHolder(const LinkHolder&) = delete;
  LinkHolder& operator=(const LinkHolder&) = delete;

  const CaptureLink* operator->() const noexcept { return link_; }
  [[nodiscard]] const CaptureLink& table() const noexcept { return *link_; }

 private:
  const CaptureLink* link_;
};

struct ChannelText {
  std::string name;
  const char* unit;
  const char* description;
};

/** One thread's stream into the recording. */
class LinkedStream {
 public:
  /** @throws Failure RECORDING_UNWRITABLE */
  explicit LinkedStream(const CaptureLink& link);
  ~LinkedStream() { link_.close_stream(stream_); }
  LinkedStream(const LinkedStream&) = delete;
  LinkedStream& operator=(const LinkedStream&) = delete;

  /** @throws Failure USAGE (a channel name twice) */
  [[nodiscard]] std::int32_t define_group(const std::string& name, const std::vector<ChannelText>& channels);

  /** One value a channel of the group. */
  void sample(std::int32_t group, const double* values, std::int64_t time_ns) const noexcept {
    link_.sample(stream_, group, values, time_ns);
  }
  void event(const char* name, const std::string& json) const noexcept {
    link_.event(stream_, name, json.data(), json.size(), link_.now_ns());
  }
  [[nodiscard]] double rss_bytes() const noexcept { return link_.rss_bytes(stream_); }

 private:
  const CaptureLink& link_;
  LinkStream* stream_;
};

}  // namespace crucible::isolate
