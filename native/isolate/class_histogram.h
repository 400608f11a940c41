#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace v8 {
class Isolate;
}

namespace crucible::isolate {

struct ClassCount {
  std::string name;
  std::uint64_t objects;
};

struct ClassHistogram {
  std::uint64_t objects = 0;
  /** Most objects first. */
  std::vector<ClassCount> classes;
};

/**
 * Live JavaScript objects by the name of their constructor, without a graph:
 * no memory to speak of, 0.3 s for a heap of 25 MB and 5 s for 140 MB, with
 * full collections before it. Blocks. Strings, code and V8's own objects are
 * not JavaScript objects, and are not counted.
 */
[[nodiscard]] ClassHistogram count_objects(v8::Isolate* isolate);

}  // namespace crucible::isolate
