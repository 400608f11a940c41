#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "linked_stream.h"

namespace v8 {
class Isolate;
}

namespace crucible::isolate {

/** Something that wants to know what a full collection left alive. Called at the end of the collection. */
class CollectionListener {
 public:
  virtual void collected(double live_bytes, double limit_bytes) noexcept = 0;

 protected:
  ~CollectionListener() = default;
};

/**
 * Records every garbage collection of an isolate, with what it took and left;
 * what a full one leaves is the live floor. V8 calls at the beginning and the
 * end of each, on the isolate's thread: 10 to 40 us a collection, mostly cold
 * caches. V8's incremental steps are no collections, and are not counted.
 */
class CollectionWatch {
 public:
  /** `stream` is the isolate's thread's, and outlives this. `on_end`: at the end of every one. @throws Failure USAGE */
  CollectionWatch(v8::Isolate* isolate, LinkedStream& stream, const CaptureLink& link, const std::string& prefix,
                  std::function<void()> on_end);
  ~CollectionWatch();
  CollectionWatch(const CollectionWatch&) = delete;
  CollectionWatch& operator=(const CollectionWatch&) = delete;

  void set_listener(CollectionListener* listener) noexcept { listener_ = listener; }
  [[nodiscard]] std::uint64_t collections() const noexcept { return collections_; }

 private:
  struct Callbacks;
  void begin(int type) noexcept;
  void end(int type, bool is_forced) noexcept;

  v8::Isolate* isolate_;
  LinkedStream& stream_;
  const CaptureLink& link_;
  std::int32_t collection_group_;
  std::int32_t floor_group_;
  std::function<void()> on_end_;
  CollectionListener* listener_ = nullptr;
  /** A scavenge may run inside a full collection: one beginning a type. */
  struct Beginning {
    std::int64_t at_ns = 0;
    double used_bytes = 0;
  };
  Beginning beginnings_[8];
  std::uint64_t collections_ = 0;
};

/** Set in a forked child: what V8 calls there must not write to files that the parent writes to. */
void this_is_a_forked_child() noexcept;
[[nodiscard]] bool is_forked_child() noexcept;

}  // namespace crucible::isolate
