#include "collection_watch.h"

#include <v8.h>

#include <utility>

#include "heap_figures.h"

namespace crucible::isolate {

namespace {

constexpr int kScavenge = 1;
constexpr int kMinorMarkSweep = 2;
constexpr int kMarkCompact = 4;
constexpr auto kWatched = static_cast<v8::GCType>(kScavenge | kMinorMarkSweep | kMarkCompact);

bool is_child = false;

}  // namespace

void this_is_a_forked_child() noexcept { is_child = true; }
bool is_forked_child() noexcept { return is_child; }

struct CollectionWatch::Callbacks {
  static void prologue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags, void* watch) {
    if (!is_child) static_cast<CollectionWatch*>(watch)->begin(type);
  }
  static void epilogue(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags flags, void* watch) {
    if (!is_child) static_cast<CollectionWatch*>(watch)->end(type, (flags & v8::kGCCallbackFlagForced) != 0);
  }
};

CollectionWatch::CollectionWatch(v8::Isolate* isolate, LinkedStream& stream, const CaptureLink& link,
                                 const std::string& prefix, std::function<void()> on_end)
    : isolate_(isolate), stream_(stream), link_(link), on_end_(std::move(on_end)) {
  collection_group_ = stream.define_group(
      prefix + "collections",
      {
          {prefix + "gc_type", "other", "1 scavenge, 2 minor mark-sweep, 4 mark-sweep-compact (full)"},
          {prefix + "gc_pause_ns", "ns", "how long the collection stopped JavaScript"},
          {prefix + "gc_forced", "count", "1: asked for, 0: of V8's own accord"},
          {prefix + "gc_used_before_bytes", "bytes", "V8 heap in use before the collection"},
          {prefix + "gc_used_after_bytes", "bytes", "V8 heap in use after it"},
          {prefix + "gc_rss_bytes", "bytes", "resident set size of the process after it"},
      });
  floor_group_ = stream.define_group(
      prefix + "live",
      {
          {prefix + "live_heap_bytes", "bytes", "V8 heap that a full collection left alive"},
          {prefix + "live_external_bytes", "bytes", "memory outside the heap that JavaScript objects held then"},
          {prefix + "live_rss_bytes", "bytes", "resident set size of the process then"},
      });
  isolate_->AddGCPrologueCallback(Callbacks::prologue, this, kWatched);
  isolate_->AddGCEpilogueCallback(Callbacks::epilogue, this, kWatched);
}

CollectionWatch::~CollectionWatch() {
  isolate_->RemoveGCPrologueCallback(Callbacks::prologue, this);
  isolate_->RemoveGCEpilogueCallback(Callbacks::epilogue, this);
}

void CollectionWatch::begin(int type) noexcept {
  beginnings_[type & 7] = {link_.now_ns(), read_heap_figures(isolate_).used_bytes};
}

void CollectionWatch::end(int type, bool is_forced) noexcept {
  const Beginning& beginning = beginnings_[type & 7];
  if (beginning.at_ns == 0) return;  // it had begun before anybody watched
  const std::int64_t now_ns = link_.now_ns();
  const HeapFigures heap = read_heap_figures(isolate_);
  const double rss_bytes = stream_.rss_bytes();
  const double values[] = {
      static_cast<double>(type),
      static_cast<double>(now_ns - beginning.at_ns),
      is_forced ? 1.0 : 0.0,
      beginning.used_bytes,
      heap.used_bytes,
      rss_bytes,
  };
  stream_.sample(collection_group_, values, now_ns);
  collections_++;
  on_end_();
  if (type != kMarkCompact) return;
  const double floor[] = {heap.used_bytes, heap.external_bytes, rss_bytes};
  stream_.sample(floor_group_, floor, now_ns);
  if (listener_ != nullptr) listener_->collected(heap.used_bytes, heap.limit_bytes);
}

}  // namespace crucible::isolate
