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

/** Of the number in front. */
std::size_t slot_length(std::string_view name) { return std::min(name.find_first_not_of("0123456789"), name.size()); }

}  // namespace

std::optional<Ephemerons::Parts> Ephemerons::parse(std::string_view name) {
  if (name.size() < 60 || name.front() < '0' || name.front() > '9' || name.back() != ')') return std::nullopt;
  std::string_view rest = name;
  if (!take_end(rest, ")")) return std::nullopt;
  const auto table = take_number(rest);
  if (!table || !take_end(rest, ") pair in WeakMap (table @")) return std::nullopt;
  const auto value = take_number(rest);
  if (!value || !take_end(rest, " @")) return std::nullopt;
  const std::size_t slot_end = slot_length(rest);
  if (!rest.substr(slot_end).starts_with(" / part of key (")) return std::nullopt;
  const std::size_t arrow = rest.rfind(") -> value (");
  if (arrow == std::string_view::npos) return std::nullopt;
  std::string_view key = rest.substr(0, arrow);
  const auto key_id = take_number(key);
  if (!key_id || !key.ends_with(" @")) return std::nullopt;
  std::string_view slot_digits = rest.substr(0, slot_end);
  const auto slot = take_number(slot_digits);
  if (!slot) return std::nullopt;
  return Parts{*slot, *key_id, *value, *table};
}

void Ephemerons::consider(Text text, std::string_view name) {
  const auto parts = parse(name);
  if (!parts) return;
  entries_.push_back(Entry{text, 0, parts->table_id, parts->value_id});
  pair_hashes_.push_back(hash_text(name.substr(slot_length(name))));
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
