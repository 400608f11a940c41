#include "class_histogram.h"

#include <v8-profiler.h>
#include <v8.h>

#include <algorithm>
#include <unordered_map>

namespace crucible::isolate {

namespace {

/** Looks at every object and wants none. */
class Counter final : public v8::QueryObjectPredicate {
 public:
  explicit Counter(v8::Isolate* isolate) : isolate_(isolate) {}

  bool Filter(v8::Local<v8::Object> object) override {
    const v8::HandleScope scope(isolate_);
    const v8::String::Utf8Value name(isolate_, object->GetConstructorName());
    objects_by_name[std::string(*name == nullptr ? "" : *name, static_cast<std::size_t>(name.length()))]++;
    objects++;
    return false;
  }

  std::uint64_t objects = 0;
  std::unordered_map<std::string, std::uint64_t> objects_by_name;

 private:
  v8::Isolate* isolate_;
};

}  // namespace

ClassHistogram count_objects(v8::Isolate* isolate) {
  const v8::HandleScope scope(isolate);
  Counter counter(isolate);
  std::vector<v8::Global<v8::Object>> none;
  isolate->GetHeapProfiler()->QueryObjects(isolate->GetCurrentContext(), &counter, &none);
  ClassHistogram histogram;
  histogram.objects = counter.objects;
  for (const auto& [name, objects] : counter.objects_by_name) histogram.classes.push_back({name, objects});
  std::sort(histogram.classes.begin(), histogram.classes.end(), [](const ClassCount& a, const ClassCount& b) {
    return a.objects != b.objects ? a.objects > b.objects : a.name < b.name;
  });
  return histogram;
}

}  // namespace crucible::isolate
