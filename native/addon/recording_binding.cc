#include "recording_binding.h"

#include <span>
#include <string>

#include "addon.h"
#include "convert.h"

namespace crucible::addon {

namespace {

using recording::ChannelDefinition;
using recording::ChannelKind;

}  // namespace

std::shared_ptr<recording::RecordingWriter> to_recording(const Napi::Value& value) {
  const auto recording = to_object(value, "the recording");
  if (!recording.InstanceOf(value.Env().GetInstanceData<AddonState>()->recording_class.Value()))
    throw wrong_argument("the recording is of another kind", "what createRecording() returned");
  return RecordingBinding::Unwrap(recording)->writer();
}

ChannelDefinition to_channel(const Napi::Value& value) {
  const auto given = to_object(value, "a channel");
  const std::string kind = to_text(given.Get("kind"), "kind");
  if (kind != "integer" && kind != "real")
    throw wrong_argument("a channel's kind is " + kind, "\"integer\" or \"real\"");
  return {
      .name = to_text(given.Get("name"), "name"),
      .unit = to_text(given.Get("unit"), "unit"),
      .kind = kind == "integer" ? ChannelKind::integer : ChannelKind::real,
      .description = to_text(given.Get("description"), "description"),
  };
}

namespace {

/** The given moment, or now. */
std::int64_t to_time_ns(const Napi::Value& value) {
  if (value.IsUndefined()) return recording::monotonic_now_ns();
  if (!value.IsBigInt()) throw wrong_argument("timeNs is not a bigint", "process.hrtime.bigint(), or nothing");
  bool is_lossless = true;
  return value.As<Napi::BigInt>().Int64Value(&is_lossless);
}

}  // namespace

Napi::Function RecordingBinding::define(Napi::Env env) {
  return DefineClass(env, "NativeRecordingWriter",
                     {
                         InstanceMethod<&RecordingBinding::define_group>("defineGroup"),
                         InstanceMethod<&RecordingBinding::append>("append"),
                         InstanceMethod<&RecordingBinding::event>("event"),
                         InstanceMethod<&RecordingBinding::close>("close"),
                         InstanceMethod<&RecordingBinding::status>("status"),
                     });
}

RecordingBinding::RecordingBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RecordingBinding>(info) {
  converting_errors(info.Env(), [&] {
    if (info[0].IsExternal()) {
      is_guest_ = true;
      writer_ = *info[0].As<Napi::External<std::shared_ptr<recording::RecordingWriter>>>().Data();
      stream_ = writer_->open_stream(recording::StreamOwner::guest);
      return;
    }
    const auto options = to_object(info[0], "the options");
    const auto bytes_max = options.Get("bytesMax");
    writer_ = std::make_shared<recording::RecordingWriter>(
        to_text(options.Get("path"), "path"), to_text(options.Get("header"), "header"),
        bytes_max.IsUndefined() ? 0 : static_cast<std::uint64_t>(to_number(bytes_max, "bytesMax")));
    stream_ = writer_->open_stream();
  });
}

Napi::Object RecordingBinding::join(Napi::Env env, std::shared_ptr<recording::RecordingWriter> writer) {
  // Read by the constructor, which has returned when `writer` goes.
  const auto given = Napi::External<std::shared_ptr<recording::RecordingWriter>>::New(env, &writer);
  return env.GetInstanceData<AddonState>()->recording_class.New({given});
}

const std::shared_ptr<recording::RecordingWriter>& RecordingBinding::writer() const {
  if (is_closed_)
    throw Failure("USAGE", {"the recording is closed", "nothing can be written to it any more",
                            "start another recording"});
  return writer_;
}

Napi::Value RecordingBinding::define_group(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&] {
    const std::string name = to_text(info[0], "the group's name");
    if (!info[1].IsArray()) throw wrong_argument("the channels of " + name + " are not an array", "an array");
    const auto given = info[1].As<Napi::Array>();
    std::vector<ChannelDefinition> channels;
    for (std::uint32_t i = 0; i < given.Length(); i++) channels.push_back(to_channel(given.Get(i)));

    auto group = writer()->define_group(name, channels);
    stream_->attach(*group);
    if (groups_.size() <= group->id) groups_.resize(group->id + 1);
    groups_[group->id] = group;
    return Napi::Number::New(info.Env(), group->id);
  });
}

void RecordingBinding::append(const Napi::CallbackInfo& info) {
  converting_errors(info.Env(), [&] {
    (void)writer();
    const double id = to_number(info[0], "groupId");
    if (!(id >= 0 && id < static_cast<double>(groups_.size())) || !groups_[static_cast<std::size_t>(id)])
      throw wrong_argument("there is no group " + std::to_string(id), "what defineGroup() returned");
    const auto& group = *groups_[static_cast<std::size_t>(id)];
    if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
      throw wrong_argument("the values are not a Float64Array", "a Float64Array");
    const auto values = info[1].As<Napi::Float64Array>();
    if (values.ElementLength() != group.kinds.size())
      throw wrong_argument(std::to_string(values.ElementLength()) + " values for a group of " +
                               std::to_string(group.kinds.size()) + " channels",
                           "one value a channel");
    stream_->sample(group, std::span<const double>(values.Data(), values.ElementLength()), to_time_ns(info[2]));
  });
}

void RecordingBinding::event(const Napi::CallbackInfo& info) {
  converting_errors(info.Env(), [&] {
    (void)writer();
    const std::string name = to_text(info[0], "the event's name");
    if (name.size() > recording::Stream::kNameBytesMax)
      throw wrong_argument("an event's name has " + std::to_string(name.size()) + " bytes",
                           "at most " + std::to_string(recording::Stream::kNameBytesMax));
    stream_->event(name, to_text(info[1], "the event's detail"), to_time_ns(info[2]));
  });
}

void RecordingBinding::close(const Napi::CallbackInfo& info) {
  converting_errors(info.Env(), [&] {
    (void)writer();
    stream_.reset();
    if (is_guest_) {
      is_closed_ = true;
      return;
    }
    try {
      writer_->close();
    } catch (...) {
      // A sampler still writes: the recording stays open, and needs its stream back.
      stream_ = writer_->open_stream();
      for (const auto& group : groups_)
        if (group) stream_->attach(*group);
      throw;
    }
    is_closed_ = true;
  });
}

Napi::Value RecordingBinding::status(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const recording::RecordingStatus status = writer_->status();
    auto object = Napi::Object::New(info.Env());
    object.Set("bytesWritten", static_cast<double>(status.bytes_written));
    object.Set("memoryBytes", static_cast<double>(status.memory_bytes));
    object.Set("reductions", static_cast<double>(status.reductions));
    object.Set("samplesDropped", static_cast<double>(status.records_dropped));
    if (status.failure.empty()) object.Set("failure", info.Env().Null());
    else object.Set("failure", status.failure);
    return object;
  });
}

void register_recording(Napi::Env env, Napi::Object exports) {
  const Napi::Function type = RecordingBinding::define(env);
  env.GetInstanceData<AddonState>()->recording_class = Napi::Persistent(type);
  const auto create = [](const Napi::CallbackInfo& info) -> Napi::Value {
    return info.Env().GetInstanceData<AddonState>()->recording_class.New({info[0]});
  };
  exports.Set("createRecording", Napi::Function::New(env, create, "createRecording"));
}

}  // namespace crucible::addon
