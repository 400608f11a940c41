#pragma once

#include <cstdint>

namespace crucible::heap {

/** Finds the end of any JSON value, however nested, in constant memory. Strings hide their brackets. */
class ValueSkipper {
 public:
  void begin() { depth_ = 0, in_string_ = escaped_ = started_ = done_ = false; }
  [[nodiscard]] bool done() const { return done_; }

  /** Returns the position after the value, or `end`. A bare number ends before the byte that follows it. */
  const char* read(const char* p, const char* end) {
    for (; p < end; ++p) {
      const char c = *p;
      if (in_string_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_string_ = false;
          if (depth_ == 0) return done_ = true, p + 1;
        }
        continue;
      }
      switch (c) {
        case '"': in_string_ = started_ = true; break;
        case '[':
        case '{':
          ++depth_;
          started_ = true;
          break;
        case ']':
        case '}':
          if (depth_ == 0) return done_ = true, p;
          if (--depth_ == 0) return done_ = true, p + 1;
          break;
        case ',':
          if (depth_ == 0) return done_ = true, p;
          break;
        case ' ':
        case '\n':
        case '\r':
        case '\t':
          if (depth_ == 0 && started_) return done_ = true, p;
          break;
        default: started_ = true;
      }
    }
    return p;
  }

 private:
  std::uint64_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool started_ = false;
  bool done_ = false;
};

}  // namespace crucible::heap
