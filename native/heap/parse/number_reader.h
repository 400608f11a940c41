#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "heap/base/snapshot_error.h"
#include "heap/parse/digits.h"

namespace crucible::heap {

/** Where the values of a batch stand in the file; only asked when one of them is wrong. */
struct BatchPlace {
  const char* text = nullptr;
  std::uint64_t text_offset = 0;
  /** Offset of the first value, if it began before `text`; else kNoOffset. */
  std::uint64_t carried_offset = kNoOffset;

  [[nodiscard]] std::uint64_t offset_of(std::size_t value) const {
    if (carried_offset != kNoOffset && value-- == 0) return carried_offset;
    bool in_number = carried_offset != kNoOffset;
    for (const char* p = text;; ++p) {
      const bool digit = *p >= '0' && *p <= '9';
      if (digit && !in_number && value-- == 0) return text_offset + static_cast<std::uint64_t>(p - text);
      in_number = digit;
    }
  }
};

/**
 * Reads `1,2,3]` however it is cut into chunks, and hands the numbers on in
 * batches. Spaces and line ends may stand anywhere between numbers.
 */
class NumberReader {
 public:
  static constexpr std::size_t kBatch = 4096;
  /** No count, size, id or index is as large. */
  static constexpr std::uint64_t kNegative = std::uint64_t{1} << 63;

  /**
   * Starts after the opening bracket.
   * @param signed_32 V8 since Node 24 writes the index 4000000000 as -294967296: negative numbers
   *   of 32 bits are handed on as kNegative plus the index that they mean
   */
  void begin(bool signed_32 = false) {
    signed_32_ = signed_32;
    state_ = State::kFirst;
    total_ = 0;
    done_ = false;
  }
  [[nodiscard]] bool done() const { return done_; }
  /** Numbers handed on so far. */
  [[nodiscard]] std::uint64_t total() const { return total_; }

  /**
   * Reads until the closing bracket or `end`; returns the position after what
   * was read. take(first_ordinal, values, count, place) gets every number once.
   * @param offset of `p` in the file. Throws SNAPSHOT_NUMBER, SNAPSHOT_SYNTAX.
   */
  template <class Take>
  const char* read(const char* p, const char* end, std::uint64_t offset, Take&& take) {
    const char* const chunk = p;
    const auto offset_of = [&](const char* at) { return offset + static_cast<std::uint64_t>(at - chunk); };
    std::size_t count = 0;
    BatchPlace place{p, offset, state_ == State::kNumber ? number_offset_ : kNoOffset};
    const auto hand_on = [&] {
      if (count != 0) take(total_, values_.get(), count, place);
      total_ += count;
      count = 0;
      place = {p, offset_of(p), kNoOffset};
    };
    while (p < end && !done_) {
      if (state_ == State::kNext || state_ == State::kFirst) {
        const char* fast = p;
        count = read_canonical(fast, end, count);
        if (fast != p) state_ = State::kNext;
        p = fast;
        if (count + 1 >= kBatch) {
          hand_on();
          continue;
        }
        if (p == end) break;
      }
      if (step(p, offset_of(p))) values_[count++] = value_;
      ++p;
      if (count + 1 >= kBatch && state_ != State::kNumber) hand_on();
    }
    hand_on();
    return p;
  }

 private:
  enum class State : std::uint8_t { kFirst, kNext, kNumber, kAfter };

  /** Takes `123,` and `123\n,` for as long as nothing else comes. Leaves `p` at the start of a number. */
  std::size_t read_canonical(const char*& p, const char* end, std::size_t count) {
    const char* const limit = end - kDigitsLookahead;
    std::uint64_t* const values = values_.get();
    const char* at = p;
    while (at < limit && count + 1 < kBatch) {
      std::uint64_t value;
      const char* after = read_digits(at, value);
      if (after == nullptr) break;
      if (*after == ',') {
        at = after + 1;
      } else if (after[0] == '\n' && after[1] == ',') {
        at = after + 2;
      } else {
        break;
      }
      values[count++] = value;
    }
    p = at;
    return count;
  }

  /** One byte through the grammar. True when a number has just ended. */
  bool step(const char* p, std::uint64_t offset) {
    const char c = *p;
    const bool digit = c >= '0' && c <= '9';
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    switch (state_) {
      case State::kFirst:
      case State::kNext:
        if (digit || (c == '-' && signed_32_)) {
          is_negative_ = !digit;
          value_ = digit ? static_cast<std::uint64_t>(c - '0') : 0;
          number_offset_ = offset;
          state_ = State::kNumber;
        } else if (c == ']' && state_ == State::kFirst) {
          done_ = true;
        } else if (!space) {
          refuse(c, offset);
        }
        return false;
      case State::kNumber:
        if (digit) {
          const auto part = static_cast<std::uint64_t>(c - '0');
          if (value_ > (~std::uint64_t{0} - part) / 10) refuse(c, offset);
          value_ = value_ * 10 + part;
          return false;
        }
        if (is_negative_) value_ = index_meant(offset);
        else if (signed_32_ && value_ >= kNegative) refuse('9', offset);
        state_ = State::kAfter;
        after(c, space, offset);
        return true;
      case State::kAfter: after(c, space, offset); return false;
    }
    return false;
  }

  /** -1 would be 2^32 - 1, which is no index, and a bare minus is zero. */
  std::uint64_t index_meant(std::uint64_t offset) const {
    constexpr std::uint64_t kTwoTo31 = std::uint64_t{1} << 31;
    if (value_ < 2 || value_ > kTwoTo31) refuse('-', offset);
    return kNegative | (2 * kTwoTo31 - value_);
  }

  void after(char c, bool space, std::uint64_t offset) {
    if (c == ',') {
      state_ = State::kNext;
    } else if (c == ']') {
      done_ = true;
    } else if (!space) {
      refuse(c, offset);
    }
  }

  [[noreturn]] void refuse(char c, std::uint64_t offset) const {
    const char* why = "only numbers, commas and spaces may stand here";
    if (c == '-') why = "sizes, ids and indices are never negative";
    if (c == '.' || c == 'e' || c == 'E') why = "sizes, ids and indices are whole numbers";
    if (c >= '0' && c <= '9') why = "it needs more than 64 bits";
    if (c == ']') why = "a number is missing after the last comma";
    const bool printable = c > 0x20 && c < 0x7F;
    throw SnapshotError("SNAPSHOT_NUMBER",
                        {offset, std::string("unexpected ") + (printable ? std::string("\"") + c + '"' : "byte") +
                                     " in a list of numbers",
                         why, "capture the snapshot again, or read what precedes it with --salvage"});
  }

  State state_ = State::kFirst;
  bool done_ = false;
  bool signed_32_ = false;
  bool is_negative_ = false;
  std::uint64_t value_ = 0;
  std::uint64_t number_offset_ = 0;
  std::uint64_t total_ = 0;
  std::unique_ptr<std::uint64_t[]> values_ = std::make_unique<std::uint64_t[]>(kBatch);
};

}  // namespace crucible::heap
