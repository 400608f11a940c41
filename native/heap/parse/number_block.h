#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "heap/parse/digits.h"

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

  explicit NumberBlock(std::size_t text_bytes_max)
      : ends_(std::make_unique<std::uint64_t[]>(text_bytes_max / 64 + 1)),
        counts_(std::make_unique<std::uint8_t[]>(text_bytes_max / 64 + 1)) {}

  /** Returns how many numbers end in the text. */
  std::size_t find_ends(const char* text, std::size_t size) {
    next_ = 0;
    word_count_ = 0;
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

 private:
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

  std::unique_ptr<std::uint64_t[]> ends_;
  std::unique_ptr<std::uint8_t[]> counts_;
  std::size_t word_count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace crucible::heap
