#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "../recording/writer.h"

namespace crucible::addon {

/** NativeRecordingWriter of src/native.ts: a recording, with the stream of the JavaScript thread. */
class RecordingBinding : public Napi::ObjectWrap<RecordingBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit RecordingBinding(const Napi::CallbackInfo& info);

  /** A recording of another thread, with a stream of this one. */
  [[nodiscard]] static Napi::Object join(Napi::Env env, std::shared_ptr<recording::RecordingWriter> writer);

  /** @throws Failure USAGE when it is closed */
  [[nodiscard]] const std::shared_ptr<recording::RecordingWriter>& writer() const;

 private:
  Napi::Value define_group(const Napi::CallbackInfo& info);
  void append(const Napi::CallbackInfo& info);
  void event(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  Napi::Value status(const Napi::CallbackInfo& info);

  std::shared_ptr<recording::RecordingWriter> writer_;
  std::unique_ptr<recording::Stream> stream_;
  /** The recording belongs to another thread: close() only ends this one's part. */
  bool is_guest_ = false;
  /** By group id; those of other threads' groups are empty. */
  std::vector<std::shared_ptr<const recording::Group>> groups_;
  bool is_closed_ = false;
};

/** Of what createRecording() returned. @throws Failure USAGE */
[[nodiscard]] std::shared_ptr<recording::RecordingWriter> to_recording(const Napi::Value& value);

/** @throws Failure USAGE */
[[nodiscard]] recording::ChannelDefinition to_channel(const Napi::Value& value);

}  // namespace crucible::addon
