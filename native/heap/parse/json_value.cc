#include "heap/parse/json_value.h"

#include <cstdlib>

#include "heap/base/json_escape.h"
#include "heap/base/snapshot_error.h"

namespace crucible::heap {

namespace {

constexpr int kDepthMax = 32;

class Reader {
 public:
  Reader(std::string_view json, std::uint64_t base_offset) : json_(json), base_(base_offset) {}

  JsonValue document() {
    JsonValue value = read(0);
    skip_space();
    if (at_ != json_.size()) fail("something follows the end of the object");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* why) const {
    throw SnapshotError("SNAPSHOT_SYNTAX", {base_ + at_, "the \"snapshot\" section is not valid JSON", why,
                                            "capture the snapshot again"});
  }

  void skip_space() {
    while (at_ < json_.size() && (json_[at_] == ' ' || json_[at_] == '\n' || json_[at_] == '\r' || json_[at_] == '\t'))
      ++at_;
  }
  char peek() {
    skip_space();
    return at_ < json_.size() ? json_[at_] : '\0';
  }
  bool accept(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted, const char* why) {
    if (!accept(wanted)) fail(why);
  }

  JsonValue read(int depth) {
    if (depth > kDepthMax) fail("it is nested too deeply");
    switch (peek()) {
      case '{': return read_object(depth);
      case '[': return read_array(depth);
      case '"': {
        JsonValue value;
        value.kind = JsonValue::Kind::kString;
        value.text = read_string();
        return value;
      }
      default: return read_scalar();
    }
  }

  JsonValue read_object(int depth) {
    JsonValue value;
    value.kind = JsonValue::Kind::kObject;
    ++at_;
    if (accept('}')) return value;
    do {
      if (peek() != '"') fail("a member name is missing");
      std::string name = read_string();
      expect(':', "a colon is missing after a member name");
      value.members.push_back({std::move(name), read(depth + 1)});
    } while (accept(','));
    expect('}', "an object does not end");
    return value;
  }

  JsonValue read_array(int depth) {
    JsonValue value;
    value.kind = JsonValue::Kind::kArray;
    ++at_;
    if (accept(']')) return value;
    do value.items.push_back(read(depth + 1));
    while (accept(','));
    expect(']', "an array does not end");
    return value;
  }

  std::string read_string() {
    const std::size_t first = ++at_;
    while (at_ < json_.size() && json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
    if (at_ >= json_.size()) fail("a string does not end");
    return unescape_json(json_.substr(first, at_++ - first));
  }

  JsonValue read_scalar() {
    JsonValue value;
    const std::size_t first = at_;
    while (at_ < json_.size() && std::string_view("+-.0123456789aAeEfFlLnNrRsStTuU").find(json_[at_]) != std::string_view::npos)
      ++at_;
    const std::string word(json_.substr(first, at_ - first));
    if (word == "true" || word == "false") {
      value.kind = JsonValue::Kind::kBoolean;
      value.number = word == "true";
    } else if (word != "null") {
      char* end = nullptr;
      value.kind = JsonValue::Kind::kNumber;
      value.number = std::strtod(word.c_str(), &end);
      if (word.empty() || *end != '\0') fail("a value is not valid");
    }
    return value;
  }

  std::string_view json_;
  std::uint64_t base_;
  std::size_t at_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::vector<std::string> JsonValue::texts() const {
  std::vector<std::string> result;
  result.reserve(items.size());
  for (const JsonValue& item : items) result.push_back(item.text);
  return result;
}

std::optional<std::uint64_t> JsonValue::whole() const {
  if (kind != Kind::kNumber || !(number >= 0) || number >= 0x1p63) return std::nullopt;
  const auto value = static_cast<std::uint64_t>(number);
  if (static_cast<double>(value) != number) return std::nullopt;
  return value;
}

JsonValue parse_json(std::string_view json, std::uint64_t base_offset) {
  return Reader(json, base_offset).document();
}

}  // namespace crucible::heap
