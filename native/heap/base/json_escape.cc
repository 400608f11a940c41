#include "heap/base/json_escape.h"

#include <cstdint>

namespace crucible::heap {

namespace {

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/** Four hexadecimal digits at `at`, or -1. */
int hex4(std::string_view body, std::size_t at) {
  if (at + 4 > body.size()) return -1;
  int value = 0;
  for (std::size_t digit = at; digit < at + 4; ++digit) {
    const char c = body[digit];
    const int part = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : -1;
    if (part < 0) return -1;
    value = value * 16 + part;
  }
  return value;
}

constexpr std::uint32_t kReplacement = 0xFFFD;

/** Appends what `\uXXXX` at `at` (the digits) stands for; returns the position after it. */
std::size_t append_code_unit(std::string& text, std::string_view body, std::size_t at) {
  const int unit = hex4(body, at);
  if (unit < 0) {
    append_utf8(text, kReplacement);
    return at;
  }
  at += 4;
  if (unit < 0xD800 || unit > 0xDFFF) {
    append_utf8(text, static_cast<std::uint32_t>(unit));
    return at;
  }
  if (unit < 0xDC00 && at + 1 < body.size() && body[at] == '\\' && body[at + 1] == 'u') {
    const int low = hex4(body, at + 2);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      append_utf8(text, 0x10000u + ((static_cast<std::uint32_t>(unit) - 0xD800u) << 10) +
                            (static_cast<std::uint32_t>(low) - 0xDC00u));
      return at + 6;
    }
  }
  append_utf8(text, kReplacement);
  return at;
}

}  // namespace

std::string unescape_json(std::string_view body) {
  std::string text;
  text.reserve(body.size());
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t escape = body.find('\\', at);
    text.append(body.substr(at, escape - at));
    if (escape == std::string_view::npos) break;
    at = escape + 2;
    switch (escape + 1 < body.size() ? body[escape + 1] : '\0') {
      case 'b': text += '\b'; break;
      case 'f': text += '\f'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case '"': text += '"'; break;
      case '\\': text += '\\'; break;
      case '/': text += '/'; break;
      case 'u': at = append_code_unit(text, body, at); break;
      default: append_utf8(text, kReplacement);
    }
  }
  return text;
}

}  // namespace crucible::heap
