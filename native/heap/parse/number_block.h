#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "heap/parse/digits.h"
#include "heap/parse/wide_numbers.h"

namespace crucible::heap {

/**
 * Finds where the numbers of a block of text end, before any of them is read.
 *
 *   text     ,1234\n,5,67
 *   digits   .####...#.##
 *   ends     .....#...#..     one bit a byte, 64 bytes a word
 *
 * Reading number by number, each has to wait until the length of the one
 * before it is known. With the ends in hand the processor reads several at the
 * same time, and how many there are is known as well. A number belongs to the block that has its end.
 */
class NumberBlock {
 public:
  /** Bytes before and behind the text that must be readable. */
  static constexpr std::size_t kMargin = 64;
  /** Numbers that end in one word of 64 bytes, at most. */
  static constexpr std::size_t kEndsPerWord = 32;

  /** @param is_wide never true on a processor that cannot */
  explicit NumberBlock(std::size_t text_bytes_max, bool is_wide = wide::is_available())
      : is_wide_(is_wide),
        ends_(std::make_unique<std::uint64_t[]>(text_bytes_max / 64 + 1)),
        counts_(std::make_unique<std::uint8_t[]>(text_bytes_max / 64 + 1)) {}

  /** Returns how many numbers end in the text. */
  std::size_t find_ends(const char* text, std::size_t size) {
    next_ = 0;
    word_count_ = 0;
    if (is_wide_) return find_ends_wide(text, size);
    std::uint64_t before = is_digit(text[-1]) ? 1 : 0;
    std::size_t count = 0;
    for (; (word_count_ + 1) * 64 <= size; ++word_count_) count += find_ends_of_word(text + word_count_ * 64, before);
    if (size % 64 == 0) return count;
    // Behind the text the last number goes on, for this block.
    char rest[64];
    std::memset(rest, '0', sizeof rest);
    std::memcpy(rest, text + word_count_ * 64, size % 64);
    count += find_ends_of_word(rest, before);
    ++word_count_;
    return count;
  }

  /** Writes the next ends, as positions in the text, and returns how many; none after the last. There is `room` for them. */
  std::size_t take_ends(std::uint32_t* ends, std::size_t room) {
    std::size_t count = 0;
    for (; next_ < word_count_ && count + kEndsPerWord <= room; ++next_) {
      const auto base = static_cast<std::uint32_t>(next_ * 64);
      std::uint64_t word = ends_[next_];
      std::uint32_t* const into = ends + count;
      const std::size_t found = counts_[next_];
      // A whole handful is written whether it is there or not: lengths that nobody can predict cost nothing so.
      for (std::size_t at = 0; at < found; at += kHandful) {
        for (std::size_t of = 0; of < kHandful; ++of) {
          into[at + of] = base + static_cast<std::uint32_t>(std::countr_zero(word | kLastBit));
          word &= word - 1;
        }
      }
      count += found;
    }
    return count;
  }

  /**
   * Reads the numbers that take_ends() gave, the first of which begins at
   * `start`. One place in front of `ends` is written to.
   * @returns where the next number starts, or null if something else than numbers and commas is in between
   */
  const char* read(const char* text, const char* start, std::uint32_t* ends, std::size_t count, std::uint64_t* values) const {
    if (is_wide_ && wrong_ != 0) return nullptr;
    ends[-1] = static_cast<std::uint32_t>(start - text - 1);
    std::uint64_t wrong = 0;
    for (std::size_t at = 0; at < count;) {
      std::size_t next = count;
      if (is_wide_) {
        at += wide::read_numbers(text, ends + at, count - at, values + at);
        // Where four did not go, some do one by one.
        next = std::min(at + 4, count);
        if (at != 0) start = behind(text + static_cast<std::int32_t>(ends[at - 1]));
      }
      for (; at < next; ++at) {
        const char* const end = text + ends[at];
        if (!read_one(start, end, values[at], wrong)) return nullptr;
        start = behind(end);
        if (at + 1 < count) wrong |= static_cast<unsigned char>(start[-1]) ^ std::uint64_t{','};
      }
    }
    return wrong == 0 ? start : nullptr;
  }

 private:
  /** Where a number begins, if that before it ended here. */
  static const char* behind(const char* end) { return end + 1 + (*end == '\n'); }

  /** False if the number is so long that the sequential reader must take it. */
  static bool read_one(const char* start, const char* end, std::uint64_t& value, std::uint64_t& wrong) {
    const auto digits = static_cast<std::size_t>(end - start);
    if (digits - 1 < 8) [[likely]] {
      value = digits_before(end, static_cast<std::uint32_t>(digits), wrong);
    } else if (digits - 1 < 16) {
      value = digits_before(end - 8, static_cast<std::uint32_t>(digits - 8), wrong) * 100'000'000 +
              digits_before(end, 8, wrong);
    } else {
      return false;
    }
    return true;
  }

  std::size_t find_ends_wide(const char* text, std::size_t size) {
    wide::Before before{is_digit(text[-1]), text[-1] == '\n'};
    wrong_ = 0;
    word_count_ = size / 64;
    std::size_t count = wide::find_ends(text, word_count_, before, ends_.get(), counts_.get(), wrong_);
    if (size % 64 == 0) return count;
    char rest[64];
    std::memset(rest, '0', sizeof rest);
    std::memcpy(rest, text + word_count_ * 64, size % 64);
    std::uint64_t wrong = 0;
    count += wide::find_ends(rest, 1, before, ends_.get() + word_count_, counts_.get() + word_count_, wrong);
    wrong_ |= wrong & ((std::uint64_t{1} << (size % 64)) - 1);
    ++word_count_;
    return count;
  }

  static constexpr std::size_t kHandful = 8;
  /** Leaves the lowest bit of a word as it is, and spares the processor the question whether there is one. */
  static constexpr std::uint64_t kLastBit = std::uint64_t{1} << 63;
  static_assert(kEndsPerWord % kHandful == 0, "the last handful must fit as well");

  /** @param before whether a digit precedes the word; then whether it ends with one */
  std::size_t find_ends_of_word(const char* text, std::uint64_t& before) {
    constexpr std::uint64_t kOnes = 0x0101010101010101u;
    std::uint64_t lanes = 0;
    std::uint64_t ends = 0;
    for (int part = 0; part < 8; ++part) {
      std::uint64_t bytes;
      std::memcpy(&bytes, text + 8 * part, sizeof bytes);
      bytes ^= kZeroDigits;
      const std::uint64_t others = (((bytes + kTooLarge) | bytes) >> 7) & kOnes;
      const std::uint64_t after_digit = (others ^ kOnes) << 8 | before;
      before = (others >> 56) ^ 1;
      const std::uint64_t last = others & after_digit;
      lanes += last;
      // Each byte is one or zero: the product collects all eight in its highest byte.
      ends |= (last * 0x0102040810204080u >> 56) << (8 * part);
    }
    ends_[word_count_] = ends;
    counts_[word_count_] = static_cast<std::uint8_t>((lanes * kOnes) >> 56);
    return counts_[word_count_];
  }

  bool is_wide_;
  /** Not zero if there is something else than numbers and what separates them; only looked at if wide. */
  std::uint64_t wrong_ = 0;
  std::unique_ptr<std::uint64_t[]> ends_;
  std::unique_ptr<std::uint8_t[]> counts_;
  std::size_t word_count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace crucible::heap
