#include <memory>
#include <utility>
#include <vector>

#include "addon.h"
#include "convert.h"
#include "heap/export/nodes_csv.h"
#include "heap/export/redacted_snapshot.h"
#include "heap/json/diff.h"
#include "heap/json/node_detail.h"
#include "heap/json/overview.h"
#include "task.h"

namespace crucible::addon {

namespace {

using heap::HeapSource;
using heap::Progress;
using heap::ReadHeap;
using heap::ReadOptions;

constexpr double kRowsMax = 1'000'000;
constexpr double kLargestExact = 9'007'199'254'740'991;

/** NativeHeapSource. The descriptor is ours from here on. */
HeapSource to_source(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "the source");
  HeapSource source;
  const Napi::Value fd = object.Get("fd");
  if (!fd.IsUndefined()) source.descriptor = heap::Descriptor(static_cast<int>(to_whole(fd, "fd", 0, 0x7fffffff)));
  source.path = to_text(object.Get("path"), "path");
  return source;
}

ReadOptions to_reading(const Napi::Object& options) {
  ReadOptions reading;
  reading.salvage = options.Get("salvage").ToBoolean();
  reading.redact = options.Get("redact").ToBoolean();
  const Napi::Value threads = options.Get("threads");
  if (!threads.IsUndefined()) reading.threads = static_cast<unsigned>(to_whole(threads, "threads", 1, 256));
  return reading;
}

std::size_t to_rows(const Napi::Object& options, const char* name) {
  return static_cast<std::size_t>(to_whole(options.Get(name), name, 0, kRowsMax));
}

Task::Deliver as_text(std::string text) {
  return [text = std::move(text)](Napi::Env env) -> Napi::Value { return Napi::String::New(env, text); };
}

Task::Deliver nothing() {
  return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
}

/** std::function wants copies, which a source that owns a descriptor has not. */
template <class T>
std::shared_ptr<T> shared(T value) {
  return std::make_shared<T>(std::move(value));
}

/** NativeHeapSnapshot of src/native.ts: a heap that has been read, for as long as somebody may ask. */
class HeapBinding : public Napi::ObjectWrap<HeapBinding> {
 public:
  using Held = std::shared_ptr<const ReadHeap>;

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeHeapSnapshot",
                       {
                           InstanceMethod<&HeapBinding::overview>("overview"),
                           InstanceMethod<&HeapBinding::node>("node"),
                           InstanceMethod<&HeapBinding::write_nodes>("writeNodes"),
                           InstanceMethod<&HeapBinding::write_redacted>("writeRedacted"),
                           InstanceMethod<&HeapBinding::close>("close"),
                       });
  }

  static Napi::Value wrap(Napi::Env env, Held held) {
    const auto external = Napi::External<Held>::New(env, &held);
    return env.GetInstanceData<AddonState>()->heap_class.New({external});
  }

  explicit HeapBinding(const Napi::CallbackInfo& info) : Napi::ObjectWrap<HeapBinding>(info) {
    converting_errors(info.Env(), [&] {
      if (!info[0].IsExternal()) throw wrong_argument("a NativeHeapSnapshot cannot be made by hand", "readHeap()");
      heap_ = *info[0].As<Napi::External<Held>>().Data();
    });
    bytes_held_ = static_cast<std::int64_t>(heap_->snapshot.bytes_held());
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_held_);
  }

  void Finalize(Napi::Env env) override { drop(env); }

 private:
  void drop(Napi::Env env) {
    if (bytes_held_ != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -std::exchange(bytes_held_, 0));
    heap_.reset();
  }

  [[nodiscard]] const Held& held() const {
    if (heap_) return heap_;
    throw Failure("USAGE", {"the snapshot is closed", "close() has given its memory back", "read the file again to ask more"});
  }

  /** make_work(heap, options) reads the arguments and gives what is to be done. */
  template <class MakeWork>
  Napi::Value ask(const Napi::CallbackInfo& info, MakeWork make_work) {
    return converting_errors(info.Env(), [&]() -> Napi::Value {
      return Task::start(info.Env(), make_work(held(), to_object(info[0], "the options")));
    });
  }

  Napi::Value overview(const Napi::CallbackInfo& info) {
    return ask(info, [](Held heap, const Napi::Object& options) -> Task::Work {
      const heap::OverviewOptions asked{.top = to_rows(options, "top"),
                                        .entries_min = to_whole(options.Get("entriesMin"), "entriesMin", 0, kLargestExact)};
      return [heap, asked](Progress& progress) { return as_text(overview_json(*heap, asked, progress)); };
    });
  }

  Napi::Value node(const Napi::CallbackInfo& info) {
    return ask(info, [](Held heap, const Napi::Object& options) -> Task::Work {
      const heap::NodeDetailOptions asked{.id = to_whole(options.Get("id"), "id", 0, kLargestExact),
                                          .paths = to_rows(options, "paths"),
                                          .fields = to_rows(options, "fields")};
      return [heap, asked](Progress& progress) { return as_text(node_detail_json(*heap, asked, progress)); };
    });
  }

  Napi::Value write_nodes(const Napi::CallbackInfo& info) {
    return ask(info, [](Held heap, const Napi::Object& options) -> Task::Work {
      return [heap, path = to_text(options.Get("path"), "path")](Progress& progress) {
        write_nodes_csv(*heap, path, progress);
        return nothing();
      };
    });
  }

  Napi::Value write_redacted(const Napi::CallbackInfo& info) {
    return ask(info, [](Held heap, const Napi::Object& options) -> Task::Work {
      const auto original = shared(to_source(options.Get("from")));
      return [heap, original, path = to_text(options.Get("path"), "path")](Progress& progress) {
        write_redacted_snapshot(*heap, std::move(*original), path, progress);
        return nothing();
      };
    });
  }

  void close(const Napi::CallbackInfo& info) { drop(info.Env()); }

  Held heap_;
  std::int64_t bytes_held_ = 0;
};

Napi::Value read_heap(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    const auto source = shared(to_source(info[0]));
    const ReadOptions reading = to_reading(to_object(info[1], "the options"));
    return Task::start(info.Env(), [source, reading](Progress& progress) -> Task::Deliver {
      const HeapBinding::Held held = std::make_shared<ReadHeap>(std::move(*source), reading, progress);
      return [held](Napi::Env env) { return HeapBinding::wrap(env, held); };
    });
  });
}

Napi::Value diff_heaps(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsArray()) throw wrong_argument("the sources are not a list", "two sources or more");
    const auto given = info[0].As<Napi::Array>();
    std::vector<HeapSource> sources;
    for (std::uint32_t at = 0; at < given.Length(); ++at) sources.push_back(to_source(given.Get(at)));
    if (sources.size() < 2) throw wrong_argument("there is nothing to compare", "two sources or more");
    const Napi::Object options = to_object(info[1], "the options");
    const ReadOptions reading = to_reading(options);
    const heap::DiffOptions asked{.growers_max = to_rows(options, "growersMax"),
                                  .growth_max = to_rows(options, "growthMax"),
                                  .paths_max = to_rows(options, "pathsMax")};
    return Task::start(info.Env(), [sources = shared(std::move(sources)), reading, asked](Progress& progress) {
      return as_text(diff_json(std::move(*sources), reading, asked, progress));
    });
  });
}

Napi::Value open_pipe(const Napi::CallbackInfo& info) {
  return converting_errors(info.Env(), [&]() -> Napi::Value {
    heap::Pipe pipe = heap::open_pipe();
    auto object = Napi::Object::New(info.Env());
    object.Set("readFd", pipe.read_end.number());
    object.Set("writeFd", pipe.write_end.number());
    (void)pipe.read_end.release();
    (void)pipe.write_end.release();
    return object;
  });
}

}  // namespace

void register_heap(Napi::Env env, Napi::Object exports) {
  env.GetInstanceData<AddonState>()->heap_class = Napi::Persistent(HeapBinding::define(env));
  exports.Set("readHeap", Napi::Function::New(env, read_heap, "readHeap"));
  exports.Set("diffHeaps", Napi::Function::New(env, diff_heaps, "diffHeaps"));
  exports.Set("openPipe", Napi::Function::New(env, open_pipe, "openPipe"));
}

}  // namespace crucible::addon
