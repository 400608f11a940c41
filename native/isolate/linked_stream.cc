#include "linked_stream.h"

#include "../recording/failure.h"

namespace crucible::isolate {

LinkedStream::LinkedStream(const CaptureLink& link) : link_(link), stream_(link.open_stream(link.self)) {
  if (stream_ == nullptr)
    throw Failure("RECORDING_UNWRITABLE", {"V8's figures cannot be recorded",
                                           "no stream of the recording can be opened",
                                           "free some memory, and start the capture again"});
}

std::int32_t LinkedStream::define_group(const std::string& name, const std::vector<ChannelText>& channels) {
  std::vector<LinkChannel> plain;
  for (const ChannelText& channel : channels)
    plain.push_back({channel.name.c_str(), channel.unit, channel.description});
  const char* why = "";
  const std::int32_t group = link_.define_group(stream_, name.c_str(), plain.data(), plain.size(), &why);
  if (group < 0)
    throw Failure("USAGE", {"the channels of " + name + " cannot be recorded", why,
                            "give each thread a prefix of its own, and start one sampler of it"});
  return group;
}

}  // namespace crucible::isolate
