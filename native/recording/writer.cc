#include "writer.h"

#include "failure.h"
#include "json_text.h"

namespace crucible::recording {

namespace {

std::string definition_json(const std::string& name, const std::vector<ChannelDefinition>& channels) {
  std::string json = "{\"name\":" + json_text(name) + ",\"channels\":[";
  for (const ChannelDefinition& channel : channels) {
    if (json.back() == '}') json += ',';
    json += "{\"name\":" + json_text(channel.name) + ",\"unit\":" + json_text(channel.unit) +
            ",\"kind\":" + (channel.kind == ChannelKind::integer ? "\"integer\"" : "\"real\"") +
            ",\"description\":" + json_text(channel.description) + "}";
  }
  return json + "]}";
}

}  // namespace

RecordingWriter::RecordingWriter(const std::string& path, std::string_view details, std::uint64_t bytes_max)
    : file_(std::make_shared<BlockFile>(path, details, bytes_max)),
      catalogue_(std::make_unique<Stream>(file_, BlockType::catalogue, kCatalogueStream)) {}

RecordingWriter::~RecordingWriter() {
  catalogue_.reset();
  if (file_->open_streams.load(std::memory_order_acquire) == 0) file_->close();
}

std::shared_ptr<const Group> RecordingWriter::define_group(const std::string& name,
                                                           const std::vector<ChannelDefinition>& channels) {
  const std::lock_guard lock(mutex_);
  if (channels.empty() || channels.size() > kChannelsMax)
    throw Failure("USAGE", {"the group " + name + " has " + std::to_string(channels.size()) + " channels",
                            "a group holds 1 to " + std::to_string(kChannelsMax) + " of them",
                            "spread them over several groups"});
  if (!catalogue_)
    throw Failure("USAGE", {"the group " + name + " cannot be defined", "the recording is closed",
                            "define it before the recording is closed"});
  auto names = channel_names_;
  for (const ChannelDefinition& channel : channels)
    if (!names.insert(channel.name).second)
      throw Failure("USAGE", {"the channel " + channel.name + " of the group " + name + " exists already",
                              "a channel's name is unique in its recording", "give it another name"});

  auto group = std::make_shared<Group>();
  group->id = next_group_id_++;
  for (const ChannelDefinition& channel : channels) group->kinds.push_back(channel.kind);
  if (!catalogue_->definition(group->id, definition_json(name, channels), monotonic_now_ns()))
    throw Failure("RECORDING_UNWRITABLE", {"the group " + name + " cannot be written to the recording",
                                           file_->status().failure, "free some space on the disk"});
  file_->add_group(group);
  channel_names_ = std::move(names);
  return group;
}

std::unique_ptr<Stream> RecordingWriter::open_stream(StreamOwner owner) {
  const std::lock_guard lock(mutex_);
  return std::make_unique<Stream>(file_, BlockType::data, next_stream_id_++, owner);
}

void RecordingWriter::close() {
  const std::lock_guard lock(mutex_);
  const std::uint32_t own = catalogue_ ? 1 : 0;
  if (file_->open_streams.load(std::memory_order_acquire) > own)
    throw Failure("USAGE", {"the recording cannot be closed yet", "a sampler still writes to it",
                            "stop the sampler first"});
  catalogue_.reset();
  file_->close();
}

}  // namespace crucible::recording
