#include "heap/graph/string_table.h"

#include <algorithm>
#include <cstring>

#include "heap/base/json_escape.h"

namespace crucible::heap {

namespace {

/** Position of the first quote that no backslash escapes, or npos. */
std::size_t closing_quote(const std::string& body, std::size_t from) {
  for (std::size_t at = from; at < body.size(); ++at) {
    if (body[at] == '\\') {
      ++at;
    } else if (body[at] == '"') {
      return at;
    }
  }
  return std::string::npos;
}

/** An escape, \u1234, has this many bytes and gives at least one. */
constexpr std::size_t kEscapeBytes = 6;

constexpr std::size_t kLabelLengthMax = 0xFFFF;

/** Whether a name has a character that must be quoted in a list of names. */
bool needs_quotes(std::string_view name) {
  // To the end, whatever is found: a loop without a way out is one that compilers make wide.
  bool found = false;
  for (const char c : name) found |= c == ',' || c == '\'' || c == '"' || c == '{' || c == '}';
  return found;
}

/** How many code units a character has in a quoted label, if it is not a part of one that was counted. */
std::size_t quoted_units(unsigned char byte) {
  switch (byte) {
    case '"':
    case '\\':
    case '\b':
    case '\f':
    case '\n':
    case '\r':
    case '\t': return 2;
    default: return byte < 0x20 ? kEscapeBytes : ((byte & 0xC0) != 0x80) + (byte >= 0xF0);
  }
}

/** utf16_length(label_of(text)), without making the label. */
std::size_t label_units(std::string_view text) {
  if (!needs_quotes(text)) return utf16_length(text);
  std::size_t units = 2;
  for (const char c : text) units += quoted_units(static_cast<unsigned char>(c));
  return units;
}

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace

std::vector<Text> StringTable::all_of(std::uint64_t hash_of_text) const {
  std::vector<Text> found;
  for (std::uint32_t text = 0; text < size(); ++text)
    if (hash_of_[text] == hash_of_text) found.push_back(Text{text});
  return found;
}

std::string StringTable::decode(Text text, std::size_t bytes_max) const {
  if (source_ != nullptr) return decode_from(*source_, text, bytes_max);
  return "(string " + std::to_string(text.value) + " is not in the file)";
}

std::string StringTable::decode_from(const ByteSource& source, Text text, std::size_t bytes_max) const {
  if (text.value >= size()) return "(string " + std::to_string(text.value) + " is not in the file)";
  std::string body(160, '\0');
  std::size_t held = 0;
  for (;;) {
    const std::size_t got = source.read_at(offset_of_[text.value] + held, body.data() + held, body.size() - held);
    body.resize(held + got);
    const std::size_t quote = closing_quote(body, 0);
    if (quote != std::string::npos) {
      body.resize(quote);
      return cut(body.find('\\') == std::string::npos ? body : unescape_json(body), bytes_max);
    }
    if (got == 0 || body.size() / kEscapeBytes > bytes_max) return cut(unescape_json(body), bytes_max);
    held = body.size();
    body.resize(held * 4);
  }
}

void StringTable::append(std::uint64_t offset, std::string_view text) {
  // Every character has one to three bytes for each of its code units: of the longest texts no more is asked.
  const std::size_t length = text.size() >= 3 * kLabelLengthMax ? kLabelLengthMax : label_units(text);
  if (text.starts_with('<') || text.starts_with("Detached <")) markup_.push_back(Text{size()});
  offset_of_.push_back(offset);
  hash_of_.push_back(hash_text(text));
  label_length_of_.push_back(static_cast<std::uint16_t>(std::min(length, kLabelLengthMax)));
}

std::size_t utf16_length(std::string_view utf8) {
  std::size_t units = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80;
    units += byte >= 0xF0;
  }
  return units;
}

std::string label_of(std::string_view name) {
  if (!needs_quotes(name)) return std::string(name);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string label = "\"";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': label += "\\\""; break;
      case '\\': label += "\\\\"; break;
      case '\b': label += "\\b"; break;
      case '\f': label += "\\f"; break;
      case '\n': label += "\\n"; break;
      case '\r': label += "\\r"; break;
      case '\t': label += "\\t"; break;
      default:
        if (byte < 0x20) {
          label += "\\u00";
          label += kHex[byte >> 4];
          label += kHex[byte & 15];
        } else {
          label += c;
        }
    }
  }
  return label + '"';
}

}  // namespace crucible::heap
