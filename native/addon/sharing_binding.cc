#include "sharing_binding.h"

#include <mutex>
#include <utility>

#include "../process/linked_capture.h"
#include "convert.h"
#include "recording_binding.h"

namespace crucible::addon {

namespace {

/** What the process shares. Never destroyed: threads may still look while the process ends. */
struct SharedCapture {
  std::mutex mutex;
  std::shared_ptr<recording::RecordingWriter> writer;
  std::shared_ptr<process::TickHub> ticks;
};

SharedCapture& shared() {
  static auto* const instance = new SharedCapture;
  return *instance;
}

/** NativeCore.sharedCapture() of src/native.ts. */
Napi::Value shared_capture(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    std::unique_lock lock(shared().mutex);
    const auto writer = shared().writer;
    const auto ticks = shared().ticks;
    lock.unlock();
    if (!writer) return info.Env().Null();
    auto object = Napi::Object::New(info.Env());
    object.Set("recording", RecordingBinding::join(info.Env(), writer));
    object.Set("link", to_js_link(info.Env(), writer, ticks));
    return object;
  });
}

}  // namespace

Napi::Value to_js_link(Napi::Env env, std::shared_ptr<recording::RecordingWriter> writer,
                       std::shared_ptr<process::TickHub> ticks) {
  const CaptureLink* link = process::LinkedCapture::create(std::move(writer), std::move(ticks));
  return Napi::External<CaptureLink>::New(env, const_cast<CaptureLink*>(link),
                                          [](Napi::Env, CaptureLink* held) { held->release(held->self); });
}

void share_capture(std::shared_ptr<recording::RecordingWriter> writer, std::shared_ptr<process::TickHub> ticks) {
  const std::lock_guard lock(shared().mutex);
  shared().writer = std::move(writer);
  shared().ticks = std::move(ticks);
}

std::shared_ptr<process::TickHub> shared_ticks() {
  const std::lock_guard lock(shared().mutex);
  return shared().ticks;
}

void stop_sharing(const std::shared_ptr<process::TickHub>& ticks) noexcept {
  const std::lock_guard lock(shared().mutex);
  if (shared().ticks != ticks) return;
  shared().writer.reset();
  shared().ticks.reset();
}

void register_sharing(Napi::Env env, Napi::Object exports) {
  exports.Set("sharedCapture", Napi::Function::New(env, shared_capture, "sharedCapture"));
}

}  // namespace crucible::addon
