#pragma once

#include <string>
#include <string_view>

namespace crucible::recording {

/** A JSON string with its quotes, escaped exactly as JSON.stringify does it. */
[[nodiscard]] inline std::string json_text(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': json += "\\\""; break;
      case '\\': json += "\\\\"; break;
      case '\b': json += "\\b"; break;
      case '\f': json += "\\f"; break;
      case '\n': json += "\\n"; break;
      case '\r': json += "\\r"; break;
      case '\t': json += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          json += "\\u00";
          json += kHex[c >> 4];
          json += kHex[c & 0xf];
        } else {
          json += c;
        }
    }
  }
  return json + '"';
}

}  // namespace crucible::recording
