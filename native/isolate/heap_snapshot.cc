#include "heap_snapshot.h"

#include <uv.h>
#include <v8-profiler.h>
#include <v8.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <cstddef>

namespace crucible::isolate {

namespace {

/** Files of V8 have some 60 to 130 bytes a node; only progress is reckoned with it. */
constexpr double kFileBytesPerNode = 100;
constexpr double kWhole = 10'000;

class Progress final : public v8::ActivityControl {
 public:
  explicit Progress(SnapshotControl& control) : control_(control) {}

  ControlOption ReportProgressValue(std::uint32_t done, std::uint32_t total) override {
    const double share = total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / total);
    control_.progress.store(static_cast<std::int32_t>(kWhole * share));
    return control_.cancel.load() == 0 ? kContinue : kAbort;
  }

 private:
  SnapshotControl& control_;
};

/** V8's chunks into the file. Through libuv, which knows every system's descriptors. */
class FileStream final : public v8::OutputStream {
 public:
  FileStream(const SnapshotOptions& options, double nodes)
      : options_(options), expected_bytes_(nodes * kFileBytesPerNode) {}

  int GetChunkSize() override { return 64 * 1024; }
  void EndOfStream() override {}

  WriteResult WriteAsciiChunk(char* data, int size) override {
    if (options_.control->cancel.load() != 0) return stop(SnapshotOutcome::cancelled);
    if (bytes + size > options_.bytes_max) return stop(SnapshotOutcome::too_large);
    for (int written = 0; written < size;) {
      uv_buf_t part = uv_buf_init(data + written, static_cast<unsigned>(size - written));
      uv_fs_t request;
      const int result = uv_fs_write(nullptr, &request, options_.descriptor, &part, 1, -1, nullptr);
      uv_fs_req_cleanup(&request);
      if (result == UV_EINTR) continue;
      if (result <= 0) {
        error = result == 0 ? UV_ENOSPC : result;
        options_.control->error.store(error);
        return stop(SnapshotOutcome::unwritable);
      }
      written += result;
    }
    bytes += size;
    options_.control->written_kib.store(static_cast<std::int32_t>(bytes / 1024));
    options_.control->progress.store(static_cast<std::int32_t>(kWhole * std::min(0.99, bytes / expected_bytes_)));
    return kContinue;
  }

  double bytes = 0;
  int error = 0;
  SnapshotOutcome::Kind kind = SnapshotOutcome::complete;

 private:
  WriteResult stop(SnapshotOutcome::Kind why) {
    kind = why;
    return kAbort;
  }

  const SnapshotOptions& options_;
  double expected_bytes_;
};

}  // namespace

SnapshotOutcome write_snapshot(v8::Isolate* isolate, const SnapshotOptions& options) {
  SnapshotControl& control = *options.control;
  const v8::HandleScope scope(isolate);
  control.phase.store(SnapshotControl::taking);
  control.progress.store(0);
  Progress progress(control);
  v8::HeapProfiler::HeapSnapshotOptions how;
  how.control = &progress;
  how.numerics_mode = options.includes_numbers ? v8::HeapProfiler::NumericsMode::kExposeNumericValues
                                               : v8::HeapProfiler::NumericsMode::kHideNumericValues;
  const double began_ns = static_cast<double>(uv_hrtime());
  const v8::HeapSnapshot* snapshot = isolate->GetHeapProfiler()->TakeHeapSnapshot(how);
  const double taken_ns = static_cast<double>(uv_hrtime());
  SnapshotOutcome outcome{SnapshotOutcome::cancelled, 0, 0, 0, taken_ns - began_ns, 0};
  if (snapshot != nullptr) {
    outcome.nodes = snapshot->GetNodesCount();
    control.progress.store(0);
    control.phase.store(SnapshotControl::writing);
    FileStream stream(options, outcome.nodes);
    snapshot->Serialize(&stream);
    const_cast<v8::HeapSnapshot*>(snapshot)->Delete();
    outcome.kind = stream.kind;
    if (outcome.kind == SnapshotOutcome::complete) control.progress.store(static_cast<std::int32_t>(kWhole));
    outcome.error = stream.error;
    outcome.bytes = stream.bytes;
    outcome.write_ns = static_cast<double>(uv_hrtime()) - taken_ns;
  }
  control.phase.store(SnapshotControl::ended);
  return outcome;
}

void give_memory_back() noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace crucible::isolate
