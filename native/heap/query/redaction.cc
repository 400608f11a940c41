#include "heap/query/redaction.h"

#include <cstdio>
#include <random>

#include "heap/base/json_escape.h"

namespace crucible::heap {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t digits_in(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) digits += is_digit(c);
  return digits;
}

bool take_start(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

bool take_around(std::string_view& text, std::string_view start, std::string_view end) {
  if (text.size() < start.size() + end.size() || !text.starts_with(start) || !text.ends_with(end)) return false;
  text = text.substr(start.size(), text.size() - start.size() - end.size());
  return true;
}

/** What V8 calls its own things: `system / Map`, `(GC roots)`, `12 / CallProxy`, `Node / std::basic_string`. */
bool is_label(std::string_view text) {
  constexpr std::size_t kLength = 100;
  constexpr std::size_t kDigits = 4;
  if (digits_in(text) == text.size()) return true;
  if (text.size() > kLength || digits_in(text) > kDigits || text.find("//") != std::string_view::npos) return false;
  for (const char c : text)
    if (!is_letter(c) && !is_digit(c) && std::string_view(" _$/().:*+-<>,").find(c) == std::string_view::npos) return false;
  return true;
}

/** `<div id="a">` without what is in it. */
bool is_bare_tag(std::string_view text) {
  take_start(text, "Detached ");
  return take_around(text, "<", ">") && is_plain_identifier(text);
}

/** Classes of the language that are spelled with a dot or a space. */
bool is_language_class(std::string_view text) {
  if (take_start(text, "Intl.") || take_start(text, "WebAssembly.")) return is_plain_identifier(text);
  return text == "Iterator Helper" || (text.ends_with(" Iterator") && is_label(text)) || text == "global (global)" ||
         text == "global (global*)";
}

/** `get size`, `#private`, `[Symbol.iterator]`, `<symbol kState>` and what is no more than an identifier. */
bool is_name(std::string_view text) {
  if (text.starts_with("system / ") || text.starts_with('(')) return is_label(text);
  if (is_language_class(text)) return true;
  for (const char* const prefix : {"get ", "set ", "bound ", "static ", "#", "."}) take_start(text, prefix);
  if (take_around(text, "<symbol ", ">") || take_around(text, "[", "]")) take_start(text, "Symbol.");
  return text == "new.target" || is_plain_identifier(text);
}

/** `7 / part of key (key @1) -> value (value @3) pair in WeakMap (table @5)`, without the texts of key and value. */
std::string weak_entry(const Ephemerons::Parts& parts) {
  return std::to_string(parts.slot) + " / part of key (key @" + std::to_string(parts.key_id) + ") -> value (value @" +
         std::to_string(parts.value_id) + ") pair in WeakMap (table @" + std::to_string(parts.table_id) + ")";
}

bool is_script(const HeapGraph& graph, Node node) {
  return graph.find_edge(node, EdgeKind::kInternal, hash_text("source")) != kNo<Edge>;
}

}  // namespace

bool is_plain_identifier(std::string_view text) {
  constexpr std::size_t kLength = 40;
  constexpr std::size_t kDigits = 3;
  if (text.size() > kLength || digits_in(text) > kDigits) return false;
  for (const char c : text)
    if (!is_letter(c) && !is_digit(c) && c != '_' && c != '$') return false;
  return true;
}

const Redaction& Redaction::of_this_process() {
  static const Redaction redaction = [] {
    std::random_device device;
    const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
    const std::uint64_t low = word();
    return Redaction({low, word()});
  }();
  return redaction;
}

Redaction::Use Redaction::use_of_name(const HeapGraph& graph, Node node) {
  switch (graph.kind(node)) {
    case NodeKind::kString:
    case NodeKind::kSlicedString:
    case NodeKind::kConsString:
    case NodeKind::kRegExp: return kContent;
    case NodeKind::kObject:
    case NodeKind::kClosure:
    case NodeKind::kSymbol:
    case NodeKind::kOther: return kName;
    case NodeKind::kCode: return is_script(graph, node) ? kScript : kName;
    default: return kLabel;
  }
}

Redaction::Use Redaction::use_of_name(const HeapGraph& graph, Edge edge) {
  switch (graph.kind(edge)) {
    case EdgeKind::kInternal: return kInternal;
    case EdgeKind::kWeak:
    case EdgeKind::kElement:
    case EdgeKind::kHidden: return kLabel;
    default: return kName;
  }
}

std::string Redaction::clean(std::string_view text, std::uint8_t uses) const {
  if ((uses & kScript) != 0 || text == "(concatenated string)" || text == "(sliced string)") return std::string(text);
  if ((uses & kInternal) != 0)
    if (const auto parts = Ephemerons::parse(text)) return weak_entry(*parts);
  if ((uses & kName) != 0 && is_name(text)) return std::string(text);
  if ((uses & (kLabel | kInternal)) != 0 && (is_label(text) || is_bare_tag(text))) return std::string(text);
  return content(text);
}

std::string Redaction::content(std::string_view text) const {
  if (text.empty()) return {};
  char shown[64];
  std::snprintf(shown, sizeof shown, "<%zu characters, hash %012llx>", utf16_length(text),
                static_cast<unsigned long long>(sip_hash(key_, text) >> 16));
  return shown;
}

std::string Redaction::class_name(std::string_view text, NodeKind kind) const {
  if (kind == NodeKind::kObject && text.starts_with('{') && text.ends_with('}')) return shape(text);
  const bool programs = kind == NodeKind::kObject || kind == NodeKind::kOther;
  return clean(text, programs ? kName : kLabel);
}

/** Reads the list as label_of wrote it: a label with a comma, a quote or a brace in it stands in quotes. */
std::string Redaction::shape(std::string_view text) const {
  std::string cleaned = "{";
  std::string_view rest = text.substr(1, text.size() - 2);
  while (!rest.empty()) {
    std::size_t end = 0;
    std::string label;
    if (rest.front() == '"') {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) end += rest[end] == '\\';
      end = std::min(end, rest.size());
      label = unescape_json(rest.substr(1, end - 1));
      end = rest.find(',', end);
    } else {
      end = rest.find(", ");
      label = rest.substr(0, end);
    }
    cleaned += (cleaned.size() > 1 ? ", " : "") + (label == "…" ? label : clean(label, kName));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(std::min(rest.size(), end + 2));
  }
  return cleaned + "}";
}

}  // namespace crucible::heap
