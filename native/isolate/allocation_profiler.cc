#include "allocation_profiler.h"

#include <node_version.h>
#include <v8-profiler.h>
#include <v8.h>

#include <memory>

#include "../recording/json_text.h"

namespace crucible::isolate {

namespace {

using recording::json_text;

std::string text_of(v8::Isolate* isolate, v8::Local<v8::String> text) {
  const v8::String::Utf8Value utf8(isolate, text);
  return json_text({*utf8 == nullptr ? "" : *utf8, static_cast<std::size_t>(utf8.length())});
}

/** Lines and columns count from 0 in a .heapprofile, from 1 in V8, where 0 means unknown. */
std::string position(int from_one) { return std::to_string(from_one - 1); }

/** As deep as the stacks that were asked for. */
void append_node(v8::Isolate* isolate, const v8::AllocationProfile::Node& node, std::string& json) {
  std::size_t self_bytes = 0;
  for (const auto& allocation : node.allocations) self_bytes += allocation.size * allocation.count;
  json += "{\"callFrame\":{\"functionName\":" + text_of(isolate, node.name) +
          ",\"scriptId\":\"" + std::to_string(node.script_id) + "\",\"url\":" + text_of(isolate, node.script_name) +
          ",\"lineNumber\":" + position(node.line_number) + ",\"columnNumber\":" + position(node.column_number) +
          "},\"selfSize\":" + std::to_string(self_bytes) + ",\"id\":" + std::to_string(node.node_id) +
          ",\"children\":[";
  bool is_first = true;
  for (const auto* child : node.children) {
    if (!is_first) json += ',';
    is_first = false;
    append_node(isolate, *child, json);
  }
  json += "]}";
}

void append_sample(const v8::AllocationProfile::Sample& sample, std::string& json) {
  json += "{\"size\":" + std::to_string(sample.size * sample.count) + ",\"nodeId\":" + std::to_string(sample.node_id) +
          ",\"ordinal\":" + std::to_string(sample.sample_id) + ",\"count\":" + std::to_string(sample.count);
#if NODE_MAJOR_VERSION >= 26
  if (!sample.is_live) json += ",\"collected\":true";
#endif
  json += '}';
}

}  // namespace

bool AllocationProfiler::start(const AllocationProfileOptions& options) {
  int flags = v8::HeapProfiler::kSamplingNoFlags;
  if (options.includes_collected_by_minor) flags |= v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMinorGC;
  if (options.includes_collected_by_major) flags |= v8::HeapProfiler::kSamplingIncludeObjectsCollectedByMajorGC;
  const bool has_started = isolate_->GetHeapProfiler()->StartSamplingHeapProfiler(
      options.interval_bytes, options.depth, static_cast<v8::HeapProfiler::SamplingFlags>(flags));
  is_running_ = is_running_ || has_started;
  return has_started;
}

void AllocationProfiler::stop() noexcept {
  if (!is_running_) return;
  is_running_ = false;
  isolate_->GetHeapProfiler()->StopSamplingHeapProfiler();
}

std::string AllocationProfiler::profile() {
  if (!is_running_) return {};
  const v8::HandleScope scope(isolate_);
  const std::unique_ptr<v8::AllocationProfile> profile(isolate_->GetHeapProfiler()->GetAllocationProfile());
  if (!profile) return {};
  std::string json = "{\"head\":";
  append_node(isolate_, *profile->GetRootNode(), json);
  json += ",\"samples\":[";
  bool is_first = true;
  for (const auto& sample : profile->GetSamples()) {
    if (!is_first) json += ',';
    is_first = false;
    append_sample(sample, json);
  }
  return json + "]}";
}

}  // namespace crucible::isolate
