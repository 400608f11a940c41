#include "linked_capture.h"

#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "memory_source.h"

/** A stream with the groups that were attached to it. */
struct crucible::LinkStream {
  std::shared_ptr<crucible::recording::RecordingWriter> writer;
  std::unique_ptr<crucible::recording::Stream> stream;
  std::vector<std::shared_ptr<const crucible::recording::Group>> groups;
  crucible::process::RssReader rss;
};

namespace crucible::process {

using recording::ChannelDefinition;
using recording::ChannelKind;

namespace {

void close_stream(LinkStream* stream) { delete stream; }

std::int32_t define_group(LinkStream* stream, const char* name, const LinkChannel* channels, std::size_t count,
                          const char** why) {
  thread_local std::string reason;
  try {
    std::vector<ChannelDefinition> definitions;
    for (const LinkChannel& channel : std::span(channels, count))
      definitions.push_back({channel.name, channel.unit, ChannelKind::integer, channel.description});
    auto group = stream->writer->define_group(name, definitions);
    stream->stream->attach(*group);
    stream->groups.push_back(std::move(group));
    return static_cast<std::int32_t>(stream->groups.size() - 1);
  } catch (const std::exception& error) {
    // Failure::what() says what cannot be done; nothing may be thrown across the border.
    reason = error.what();
    *why = reason.c_str();
    return -1;
  }
}

bool sample(LinkStream* stream, std::int32_t group, const double* values, std::int64_t time_ns) {
  const auto& definition = *stream->groups[static_cast<std::size_t>(group)];
  return stream->stream->sample(definition, {values, definition.kinds.size()}, time_ns);
}

bool event(LinkStream* stream, const char* name, const char* detail, std::size_t detail_bytes,
           std::int64_t time_ns) {
  return stream->stream->event(name, {detail, detail_bytes}, time_ns);
}

std::int64_t now_ns() { return recording::monotonic_now_ns(); }

}  // namespace

const CaptureLink* LinkedCapture::create(std::shared_ptr<recording::RecordingWriter> writer,
                                         std::shared_ptr<TickHub> ticks) {
  return &(new LinkedCapture(std::move(writer), std::move(ticks)))->table_;
}

LinkedCapture::LinkedCapture(std::shared_ptr<recording::RecordingWriter> writer, std::shared_ptr<TickHub> ticks)
    : table_{
          .magic = kCaptureLinkMagic,
          .self = this,
          .retain = [](void* self) { static_cast<LinkedCapture*>(self)->holders_.fetch_add(1); },
          .release =
              [](void* self) {
                auto* capture = static_cast<LinkedCapture*>(self);
                if (capture->holders_.fetch_sub(1) == 1) delete capture;
              },
          .open_stream = [](void* self) -> LinkStream* {
            try {
              const auto& owner = static_cast<LinkedCapture*>(self)->writer_;
              return new LinkStream{owner, owner->open_stream(recording::StreamOwner::guest), {}, {}};
            } catch (const std::exception&) {
              return nullptr;
            }
          },
          .close_stream = close_stream,
          .define_group = define_group,
          .sample = sample,
          .event = event,
          .rss_bytes = [](LinkStream* stream) { return stream->rss.bytes(); },
          .now_ns = now_ns,
          .subscribe = [](void* self, TickHub::OnTick on_tick, void* data) -> std::uint64_t {
            try {
              return static_cast<LinkedCapture*>(self)->ticks_->subscribe(on_tick, data);
            } catch (const std::exception&) {
              return 0;
            }
          },
          .unsubscribe =
              [](void* self, std::uint64_t id) { static_cast<LinkedCapture*>(self)->ticks_->unsubscribe(id); },
      },
      writer_(std::move(writer)),
      ticks_(std::move(ticks)) {}

}  // namespace crucible::process
