#include <memory>
#include <string>

#include "../../isolate/fork_snapshot.h"
#include "../../isolate/heap_snapshot.h"
#include "../convert.h"
#include "isolate_addon.h"

namespace crucible::addon {

using isolate::SnapshotControl;
using isolate::SnapshotOptions;
using isolate::SnapshotOutcome;

/** The words of a SharedArrayBuffer: src/native.ts names them. */
SnapshotControl* to_control(Napi::Env env, const Napi::Value& value) {
  void* data = nullptr;
  std::size_t length = 0;
  napi_typedarray_type type = napi_int8_array;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || length * sizeof(std::int32_t) < sizeof(SnapshotControl))
    throw wrong_argument("the control is of another kind", "an Int32Array of five words");
  return static_cast<SnapshotControl*>(data);
}

SnapshotOptions to_snapshot_options(Napi::Env env, const Napi::Object& given) {
  return {
      static_cast<int>(to_number(given.Get("fd"), "fd")),
      to_number(given.Get("bytesMax"), "bytesMax"),
      given.Get("includesNumbers").ToBoolean(),
      to_control(env, given.Get("control")),
  };
}

Napi::Object to_js(Napi::Env env, const SnapshotOutcome& outcome) {
  static constexpr const char* kKinds[] = {"complete", "cancelled", "too-large", "unwritable"};
  auto object = Napi::Object::New(env);
  object.Set("outcome", kKinds[outcome.kind]);
  object.Set("errno", outcome.error);
  object.Set("nodes", outcome.nodes);
  object.Set("bytes", outcome.bytes);
  object.Set("takeNs", outcome.take_ns);
  object.Set("writeNs", outcome.write_ns);
  return object;
}

namespace {

Napi::Value write_snapshot(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&] {
    const auto options = to_snapshot_options(info.Env(), to_object(info[0], "the options"));
    return to_js(info.Env(), isolate::write_snapshot(isolate::this_isolate(), options));
  });
}

/** NativeForkedSnapshot of src/native.ts. A child that nobody asks after any more is killed. */
class ForkedSnapshotBinding : public Napi::ObjectWrap<ForkedSnapshotBinding> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeForkedSnapshot",
                       {
                           InstanceMethod<&ForkedSnapshotBinding::poll>("poll"),
                           InstanceMethod<&ForkedSnapshotBinding::kill>("kill"),
                       });
  }

  explicit ForkedSnapshotBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ForkedSnapshotBinding>(info) {
    converting_errors(info.Env(), [&] {
      const auto options = to_object(info[0], "the options");
      child_ = std::make_unique<isolate::ForkedSnapshot>(
          isolate::this_isolate(), isolate::ForkOptions{
                                       static_cast<int>(to_number(options.Get("fd"), "fd")),
                                       to_number(options.Get("bytesMax"), "bytesMax"),
                                       options.Get("includesNumbers").ToBoolean(),
                                       static_cast<unsigned>(to_number(options.Get("secondsMax"), "secondsMax")),
                                   });
    });
    Value().Set("pid", child_->pid());
    Value().Set("pauseNs", child_->pause_ns());
  }

 private:
  Napi::Value poll(const Napi::CallbackInfo& info) {
    const isolate::ChildState state = child_->poll();
    const SnapshotControl& control = child_->control();
    auto object = Napi::Object::New(info.Env());
    object.Set("isRunning", state.is_running);
    object.Set("exitCode", state.exit_code);
    object.Set("cpuNs", state.cpu_ns);
    object.Set("rssMaxBytes", state.rss_max_bytes);
    object.Set("errno", control.error.load());
    object.Set("phase", control.phase.load());
    object.Set("progress", control.progress.load());
    object.Set("writtenKib", control.written_kib.load());
    return object;
  }

  void kill(const Napi::CallbackInfo&) { child_->kill(); }

  std::unique_ptr<isolate::ForkedSnapshot> child_;
};

Napi::Value fork_snapshot(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<IsolateAddonState>()->forked_snapshot_class.New({info[0]});
}

void give_memory_back(const Napi::CallbackInfo&) { isolate::give_memory_back(); }

}  // namespace

void register_snapshot(Napi::Env env, Napi::Object exports) {
  exports.Set("writeSnapshot", Napi::Function::New(env, write_snapshot, "writeSnapshot"));
  env.GetInstanceData<IsolateAddonState>()->forked_snapshot_class =
      Napi::Persistent(ForkedSnapshotBinding::define(env));
  exports.Set("canForkSnapshot", isolate::ForkedSnapshot::is_supported());
  exports.Set("forkSnapshot", Napi::Function::New(env, fork_snapshot, "forkSnapshot"));
  exports.Set("giveMemoryBack", Napi::Function::New(env, give_memory_back, "giveMemoryBack"));
}

}  // namespace crucible::addon
