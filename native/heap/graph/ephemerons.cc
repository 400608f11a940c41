#include "heap/graph/ephemerons.h"

#include <charconv>

#include "heap/base/hash.h"

namespace crucible::heap {

namespace {

/** Takes `expected` off the end of `text`. */
bool take_end(std::string_view& text, std::string_view expected) {
  if (!text.ends_with(expected)) return false;
  text.remove_suffix(expected.size());
  return true;
}

/** Takes the digits off the end of `text`; nothing if there are none. */
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[text.size() - 1 - digits] >= '0' && text[text.size() - 1 - digits] <= '9') ++digits;
  const char* last = text.data() + text.size();
  std::uint64_t value = 0;
  if (digits == 0 || std::from_chars(last - digits, last, value).ec != std::errc()) return std::nullopt;
  text.remove_suffix(digits);
  return value;
}

}  // namespace

void Ephemerons::consider(Text text, std::string_view name) {
  if (name.size() < 60 || name.front() < '0' || name.front() > '9' || name.back() != ')') return;
  std::string_view rest = name;
  Entry entry{text, 0, 0, 0};
  if (!take_end(rest, ")")) return;
  const auto table = take_number(rest);
  if (!table || !take_end(rest, ") pair in WeakMap (table @")) return;
  const auto value = take_number(rest);
  if (!value || !take_end(rest, " @")) return;
  const std::size_t slot_end = rest.find_first_not_of("0123456789");
  if (slot_end == std::string_view::npos || !rest.substr(slot_end).starts_with(" / part of key (")) return;
  const std::size_t arrow = rest.rfind(") -> value (");
  if (arrow == std::string_view::npos) return;
  std::string_view key = rest.substr(0, arrow);
  if (!take_number(key) || !key.ends_with(" @")) return;
  entry.table_id = *table;
  entry.value_id = *value;
  entries_.push_back(entry);
  pair_hashes_.push_back(hash_text(name.substr(slot_end)));
}

void Ephemerons::finish(std::uint32_t string_count) {
  string_count_ = string_count;
  entries_.shrink_to_fit();
  if (entries_.empty()) return;
  named_ = Bits<Text>(string_count);
  std::vector<std::uint64_t> distinct = pair_hashes_;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    named_.set(entries_[at].name);
    const auto pair = std::lower_bound(distinct.begin(), distinct.end(), pair_hashes_[at]);
    entries_[at].pair = static_cast<std::uint32_t>(pair - distinct.begin());
  }
  pair_count_ = static_cast<std::uint32_t>(distinct.size());
  pair_hashes_ = {};
}

}  // namespace crucible::heap
