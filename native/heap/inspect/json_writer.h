#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

namespace crucible::heap {

/** Writes one JSON document into a text: `object([&]{ member("a", 1); })`. */
class JsonWriter {
 public:
  [[nodiscard]] const std::string& written() const { return out_; }

  template <class Body>
  void object(Body body) {
    nested('{', '}', body);
  }
  template <class Body>
  void array(Body body) {
    nested('[', ']', body);
  }
  void name(std::string_view name) {
    separate();
    text(name);
    out_ += ':';
    first_ = true;
  }
  template <class Value>
  void member(std::string_view key, const Value& content) {
    name(key);
    value(content);
  }
  template <class Value>
  void value(const Value& content) {
    separate();
    if constexpr (std::is_same_v<Value, bool>) {
      out_ += content ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<Value>) {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.6g", static_cast<double>(content));
      out_ += digits;
    } else if constexpr (std::is_integral_v<Value>) {
      out_ += std::to_string(content);
    } else {
      text(content);
    }
    first_ = false;
  }

 private:
  template <class Body>
  void nested(char open, char close, Body& body) {
    separate();
    out_ += open;
    first_ = true;
    body();
    out_ += close;
    first_ = false;
  }
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void text(std::string_view content) {
    out_ += '"';
    for (const char c : content) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (byte < 0x20 || byte == 0x7F) {
        // Control characters would act on a terminal.
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", byte);
        out_ += escape;
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::string out_;
  bool first_ = true;
};

}  // namespace crucible::heap
