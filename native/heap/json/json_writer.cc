#include "heap/json/json_writer.h"

namespace crucible::heap {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

void append_escape(std::string& out, unsigned code) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[code >> 4 & 15];
  out += kHex[code & 15];
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((byte_at(text, at) & 0xC0) != 0x80) return 0;
  const unsigned second = byte_at(text, 1);
  // Longer than needed, half of a surrogate pair, or beyond the last character.
  const bool wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                     (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

void append_json_text(std::string& out, std::string_view content) {
  for (std::size_t at = 0; at < content.size();) {
    const unsigned byte = byte_at(content, at);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += static_cast<char>(byte);
      ++at;
    } else if (byte < 0x20 || byte == 0x7F) {
      append_escape(out, byte);
      ++at;
    } else if (byte < 0x80) {
      out += static_cast<char>(byte);
      ++at;
    } else {
      const std::size_t length = utf8_length(content.substr(at));
      const bool is_control = length == 2 && byte == 0xC2 && byte_at(content, at + 1) < 0xA0;
      if (is_control) append_escape(out, byte_at(content, at + 1));
      else if (length == 0) out += "\xEF\xBF\xBD";
      else out += content.substr(at, length);
      at += length == 0 ? 1 : length;
    }
  }
}

void JsonWriter::text(std::string_view content) {
  out_ += '"';
  append_json_text(out_, content);
  out_ += '"';
}

}  // namespace crucible::heap
