#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "heap/base/snapshot_error.h"
#include "heap/base/json_escape.h"

namespace crucible::heap {

/**
 * Reads `"a","b"]` however it is cut into chunks. Escapes are not decoded
 * except to give every string its final text; nothing in a string can be
 * mistaken for structure, whatever it contains.
 */
class StringReader {
 public:
  void begin() {
    state_ = State::kFirst;
    done_ = false;
    partial_.clear();
  }
  [[nodiscard]] bool done() const { return done_; }

  /**
   * take(offset, text) gets every string: the offset of its first byte after
   * the quote, and its decoded text, valid during the call.
   */
  template <class Take>
  const char* read(const char* p, const char* end, std::uint64_t offset, Take&& take) {
    const char* const chunk = p;
    const auto offset_of = [&](const char* at) { return offset + static_cast<std::uint64_t>(at - chunk); };
    while (p < end && !done_) {
      if (state_ == State::kInside) {
        const char* stop = find_end(p, end);
        if (stop == nullptr) {
          partial_.append(p, end);
          return end;
        }
        finish({p, static_cast<std::size_t>(stop - p)}, take);
        p = stop + 1;
        continue;
      }
      const char c = *p;
      if (c == '"' && state_ != State::kAfter) {
        state_ = State::kInside;
        escaped_ = has_escape_ = false;
        string_offset_ = offset_of(p + 1);
      } else if (c == ',' && state_ == State::kAfter) {
        state_ = State::kNext;
      } else if (c == ']' && state_ != State::kNext) {
        done_ = true;
      } else if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        throw SnapshotError("SNAPSHOT_SYNTAX", {offset_of(p), "the list of strings is broken",
                                                "a quote, a comma or the closing bracket belongs here",
                                                "capture the snapshot again, or read what precedes it with --salvage"});
      }
      ++p;
    }
    return p;
  }

 private:
  enum class State : std::uint8_t { kFirst, kNext, kInside, kAfter };

  /** The quote that ends the string, or null if it is not in this chunk. */
  const char* find_end(const char* p, const char* end) {
    const char* quote = nullptr;
    while (p < end) {
      if (escaped_) {
        escaped_ = false;
        ++p;
        continue;
      }
      // Each byte is passed once by either search, however many escapes there are.
      if (quote == nullptr || quote < p) quote = find('"', p, end);
      const char* const escape = find('\\', p, quote);
      if (escape == quote) return quote == end ? nullptr : quote;
      escaped_ = has_escape_ = true;
      p = escape + 1;
    }
    return nullptr;
  }

  /** The first such byte, or `end`. */
  static const char* find(char c, const char* p, const char* end) {
    const void* const found = std::memchr(p, c, static_cast<std::size_t>(end - p));
    return found == nullptr ? end : static_cast<const char*>(found);
  }

  template <class Take>
  void finish(std::string_view rest, Take& take) {
    state_ = State::kAfter;
    if (!partial_.empty()) {
      partial_.append(rest);
      rest = partial_;
    }
    if (has_escape_) {
      const std::string decoded = unescape_json(rest);
      take(string_offset_, std::string_view(decoded));
    } else {
      take(string_offset_, rest);
    }
    partial_.clear();
  }

  State state_ = State::kFirst;
  bool done_ = false;
  bool escaped_ = false;
  bool has_escape_ = false;
  std::uint64_t string_offset_ = 0;
  std::string partial_;
};

}  // namespace crucible::heap
