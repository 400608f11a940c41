#pragma once

#include <cstddef>
#include <cstdint>

/**
 * What core.node lends to isolate.node: a recording to write to, and the
 * sampler's ticks. The two addons are built apart, perhaps with different
 * dialects of C++ and different standard libraries, so nothing but C passes
 * between them: plain structs and functions.
 *
 * Built as C++17 too: this header is all that isolate.node sees of the recording.
 */
namespace crucible {

inline constexpr std::uint64_t kCaptureLinkMagic = 0x314b4e494c4d4352;  // "RCMLINK1"

struct LinkChannel {
  const char* name;
  const char* unit;
  const char* description;
};

/** Belongs to one thread at a time, like the stream that it is. */
struct LinkStream;

struct CaptureLink {
  /** kCaptureLinkMagic; another number is another layout of this struct. */
  std::uint64_t magic;
  void* self;
  void (*retain)(void* self);
  void (*release)(void* self);

  /** Null: no memory, or the recording is closed. */
  LinkStream* (*open_stream)(void* self);
  void (*close_stream)(LinkStream* stream);
  /** Integer channels. Returns the group, or -1: see `why`, which stays valid until the next call of this thread. */
  std::int32_t (*define_group)(LinkStream* stream, const char* name, const LinkChannel* channels, std::size_t count,
                               const char** why);
  /** False when it was dropped. Allocates nothing. */
  bool (*sample)(LinkStream* stream, std::int32_t group, const double* values, std::int64_t time_ns);
  /** `detail` is JSON text. */
  bool (*event)(LinkStream* stream, const char* name, const char* detail, std::size_t detail_bytes,
                std::int64_t time_ns);
  /** Of the process, now; NaN where it cannot be read. Half a microsecond. */
  double (*rss_bytes)(LinkStream* stream);
  /** The recording's clock. */
  std::int64_t (*now_ns)();

  /** `on_tick` runs on the sampler's thread after each RSS sample: it must not wait for anything. 0: no memory. */
  std::uint64_t (*subscribe)(void* self, void (*on_tick)(void* data, std::int64_t now_ns, double rss_bytes),
                             void* data);
  /** Afterwards `on_tick` does not run, and is not running, any more. */
  void (*unsubscribe)(void* self, std::uint64_t subscription);
};

}  // namespace crucible
