#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

namespace crucible::heap {

/**
 * Writes one JSON document into a text: `object([&]{ member("a", 1); })`.
 * The text is valid UTF-8 whatever goes in: broken bytes become U+FFFD.
 * Control characters, which would act on a terminal, are escaped.
 */
class JsonWriter {
 public:
  [[nodiscard]] const std::string& written() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

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
  template <class Body>
  void object_member(std::string_view key, Body body) {
    name(key);
    object(body);
  }
  template <class Body>
  void array_member(std::string_view key, Body body) {
    name(key);
    array(body);
  }
  void null_member(std::string_view key) {
    name(key);
    null();
  }
  void null() {
    separate();
    out_ += "null";
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
  void text(std::string_view content);

  std::string out_;
  bool first_ = true;
};

/** Appends the text as it stands between the quotes of a JSON string. */
void append_json_text(std::string& out, std::string_view content);

/** Bytes of the UTF-8 character in front, or zero if there is none that is valid. */
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace crucible::heap
