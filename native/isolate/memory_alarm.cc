#include "memory_alarm.h"

#include <v8.h>

#include <algorithm>
#include <cmath>

#include "../recording/json_text.h"
#include "heap_figures.h"
#include "heap_snapshot.h"
#include "output_file.h"

namespace crucible::isolate {

namespace {

using recording::json_text;

/** Reading the limits takes some 10 us: at most so often. */
constexpr std::int64_t kRoomIntervalNs = 50'000'000;
/** So that V8 goes on to whoever else wants to be asked at its limit, such as Node itself. */
constexpr std::size_t kOneMoreBytes = (std::size_t{4} << 20) + 1;
/**
 * For the profile, which V8 makes in the same heap: the line ends of every script in it. The young generation may
 * have gone beyond the limit by more than 16 MiB by then.
 */
constexpr std::size_t kRoomToSaveBytes = std::size_t{64} << 20;

void append_figure(std::string& json, const char* name, double bytes) {
  if (!std::isfinite(bytes)) return;
  json += ",\"" + std::string(name) + "\":" + std::to_string(static_cast<long long>(bytes));
}

}  // namespace

struct MemoryAlarm::Callbacks {
  static void on_tick(void* alarm, std::int64_t now_ns, double rss_bytes) {
    static_cast<MemoryAlarm*>(alarm)->tick(now_ns, rss_bytes);
  }

  static void on_heap(v8::Isolate*, void* request) { save(request, "heap"); }
  static void on_process(v8::Isolate*, void* request) { save(request, "process"); }
  static void save(void* request, const char* trigger) {
    MemoryAlarm* alarm = static_cast<Request*>(request)->alarm;
    if (alarm != nullptr && !is_forked_child()) alarm->save_evidence(trigger, true);
  }

  static std::size_t at_heap_limit(void* data, std::size_t current_bytes, std::size_t) {
    auto* alarm = static_cast<MemoryAlarm*>(data);
    if (is_forked_child()) return current_bytes;
    // Saving has come to the limit itself: it goes on in more room, and is not begun again.
    if (alarm->is_saving_) return alarm->raised_limit_bytes_ = current_bytes + kRoomToSaveBytes;
    alarm->save_evidence("limit", false);
    alarm->is_at_limit_ = false;
    alarm->isolate_->RemoveNearHeapLimitCallback(at_heap_limit, 0);
    // V8 takes a limit that is not above the present one for a refusal.
    return std::max(current_bytes, alarm->raised_limit_bytes_) + kOneMoreBytes;
  }
};

MemoryAlarm::MemoryAlarm(v8::Isolate* isolate, HeapSampler& sampler, AllocationProfiler& profiler,
                         const MemoryAlarmOptions& options)
    : isolate_(isolate), sampler_(sampler), profiler_(profiler), options_(options), request_(new Request{this}) {
  sampler_.collections().set_listener(this);
  if (options_.is_at_heap_limit_too) {
    isolate_->AddNearHeapLimitCallback(Callbacks::at_heap_limit, this);
    is_at_limit_ = true;
  }
  if (options_.rss_bytes > 0 || options_.available_bytes > 0)
    subscription_ = sampler_.link().subscribe(sampler_.link().self, Callbacks::on_tick, this);
}

MemoryAlarm::~MemoryAlarm() {
  if (subscription_ != 0) sampler_.link().unsubscribe(sampler_.link().self, subscription_);
  if (is_at_limit_) isolate_->RemoveNearHeapLimitCallback(Callbacks::at_heap_limit, 0);
  sampler_.collections().set_listener(nullptr);
  request_->alarm = nullptr;
}

/** Within a collection, where V8 must be left alone: hence the interrupt. */
void MemoryAlarm::collected(double live_bytes, double limit_bytes) noexcept {
  if (was_heap_ || options_.heap_share <= 0) return;
  if (options_.heap_limit_bytes > 0) limit_bytes = options_.heap_limit_bytes;
  if (live_bytes < options_.heap_share * limit_bytes) return;
  was_heap_ = true;
  isolate_->RequestInterrupt(Callbacks::on_heap, request_);
}

void MemoryAlarm::tick(std::int64_t now_ns, double rss_bytes) {
  if (was_process_) return;
  const bool is_large = options_.rss_bytes > 0 && rss_bytes >= options_.rss_bytes;
  if (!is_large && !(options_.available_bytes > 0 && is_running_short(now_ns, rss_bytes))) return;
  was_process_ = true;
  isolate_->RequestInterrupt(Callbacks::on_process, request_);
}

/**
 * At 1 GB/s the last tenth of a small container is gone between two readings: RSS, known at each tick, says what
 * has gone since, and what grew in the interval before is expected once more, up to twice the bound.
 */
bool MemoryAlarm::is_running_short(std::int64_t now_ns, double rss_bytes) {
  if (now_ns >= room_due_ns_) {
    const double grown_bytes = room_due_ns_ == 0 ? 0 : rss_bytes - rss_at_reading_bytes_;
    room_due_ns_ = now_ns + kRoomIntervalNs;
    available_at_reading_bytes_ = room_at_ticks_.read().available_bytes;
    rss_at_reading_bytes_ = rss_bytes;
    expected_growth_bytes_ = std::fmin(std::fmax(grown_bytes, 0), options_.available_bytes);
  }
  const double left_bytes = available_at_reading_bytes_ - (rss_bytes - rss_at_reading_bytes_);
  return left_bytes < options_.available_bytes + expected_growth_bytes_;
}

void MemoryAlarm::save_evidence(const char* trigger, bool with_snapshot) noexcept {
  is_saving_ = true;
  try {
    const HeapFigures heap = read_heap_figures(isolate_);
    const process::MemoryRoom room = room_here_.read();
    const auto& stream = sampler_.stream();
    std::string figures = "{\"trigger\":\"" + std::string(trigger) + "\"";
    append_figure(figures, "heapUsedBytes", heap.used_bytes);
    append_figure(figures, "heapLimitBytes", heap.limit_bytes);
    append_figure(figures, "externalBytes", heap.external_bytes);
    append_figure(figures, "rssBytes", stream.rss_bytes());
    append_figure(figures, "availableBytes", room.available_bytes);
    figures += ",\"limitedBy\":" + json_text(room.limited_by);
    // What comes next may be the end: each step is in the recording before the one after it.
    stream.event("near-out-of-memory", figures + "}");
    if (!options_.profile_path.empty()) stream.event("near-out-of-memory-profile", profile_report());
    if (with_snapshot && !options_.snapshot_path.empty())
      stream.event("near-out-of-memory-snapshot", snapshot_report(heap.used_bytes, room.available_bytes));
  } catch (const std::exception&) {
    // No memory for a few kilobytes of text: nothing can be saved any more.
  }
  is_saving_ = false;
}

std::string MemoryAlarm::profile_report() {
  const std::string profile = profiler_.profile();
  if (profile.empty()) return R"({"missing":"no allocation profiler runs"})";
  OutputFile file(options_.profile_path);
  file.write(profile);
  file.finish();
  if (file.error() != 0) return "{\"missing\":" + json_text(file.error_text()) + "}";
  return "{\"path\":" + json_text(options_.profile_path) + ",\"bytes\":" + std::to_string(profile.size()) + "}";
}

std::string MemoryAlarm::snapshot_report(double heap_used_bytes, double available_bytes) {
  const double needed_bytes = heap_used_bytes * options_.snapshot_bytes_per_heap_byte;
  if (available_bytes < needed_bytes) {
    std::string json = R"({"missing":"it would not fit into memory")";
    append_figure(json, "neededBytes", needed_bytes);
    append_figure(json, "availableBytes", available_bytes);
    return json + "}";
  }
  OutputFile file(options_.snapshot_path);
  if (file.error() != 0) return "{\"missing\":" + json_text(file.error_text()) + "}";
  SnapshotControl control{};
  const SnapshotOutcome outcome = write_snapshot(isolate_, {file.descriptor(), INFINITY, false, &control});
  give_memory_back();
  if (outcome.kind != SnapshotOutcome::complete) return R"({"missing":"it could not be written"})";
  file.finish();
  std::string json = "{\"path\":" + json_text(options_.snapshot_path);
  append_figure(json, "bytes", outcome.bytes);
  append_figure(json, "nodes", outcome.nodes);
  append_figure(json, "elapsedNs", outcome.take_ns + outcome.write_ns);
  return json + "}";
}

}  // namespace crucible::isolate
