#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crucible::heap {

/** Bytes that must be readable after a position for `read_digits` and what follows it. */
inline constexpr std::ptrdiff_t kDigitsLookahead = 24;

/**
 * The number that starts at `p`, eight digits at a time and without a branch
 * per digit: subtract '0' from all bytes, find the first byte that is no
 * digit, shift it out, then add pairs, fours and eights in three steps.
 *
 *   "1234,\n.." - '0'..  ->  01 02 03 04 FC ..     first non-digit: byte 4
 *   shifted                  00 00 00 00 01 02 03 04
 *   pairs, fours, eight      12 | 34  ->  1234
 *
 * Returns the position after the last digit, or null if there is no digit or
 * more than sixteen, which the slow reader takes. Numbers of one to eight
 * digits take the same path, so that their lengths, which nobody can predict,
 * cost nothing. About 2 ns a number.
 */
[[nodiscard]] inline const char* read_digits(const char* p, std::uint64_t& value) {
  static_assert(std::endian::native == std::endian::little, "the digits are taken from the low byte up");
  constexpr std::uint64_t kZeros = 0x3030303030303030u;
  const auto digits_in = [](std::uint64_t word) {
    // Of no other byte than a digit: eight.
    return std::countr_zero(((word + 0x7676767676767676u) | word) & 0x8080808080808080u) >> 3;
  };
  const auto sum = [](std::uint64_t word, int digits) {
    word <<= 64 - 8 * digits;
    word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FFu;
    word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFFu;
    return (word * 10000 + (word >> 32)) & 0xFFFFFFFFu;
  };
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  word ^= kZeros;
  const int digits = digits_in(word);
  if (digits == 0) [[unlikely]] return nullptr;
  value = sum(word, digits);
  p += digits;
  if (static_cast<unsigned char>(*p - '0') > 9) [[likely]] return p;
  std::memcpy(&word, p, sizeof word);
  word ^= kZeros;
  const int more = digits_in(word);
  if (more == 8) return nullptr;
  static constexpr std::uint64_t kPowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  value = value * kPowers[more] + sum(word, more);
  return p + more;
}

/**
 * How many numbers begin in [first, last). The byte before `first` must be
 * readable. Eight bytes at a time, at several times the speed of reading them;
 * right for ASCII, and for anything else only wrong in a way that shows later.
 */
[[nodiscard]] inline std::size_t count_numbers(const char* first, const char* last) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t count = 0;
  std::uint64_t before = is_digit(first[-1]) ? 1 : 0;
  while (last - first >= 8) {
    // Each of the eight lanes counts to 255 at most.
    std::uint64_t lanes = 0;
    const char* const stop = first + 8 * (last - first >= 8 * 255 ? 255 : (last - first) / 8);
    for (; first < stop; first += 8) {
      std::uint64_t word;
      std::memcpy(&word, first, sizeof word);
      word ^= 0x3030303030303030u;
      const std::uint64_t digits = (~((word + 0x7676767676767676u) | word) >> 7) & kOnes;
      lanes += digits & ~(digits << 8 | before);
      before = digits >> 56;
    }
    const std::uint64_t pairs = (lanes & 0x00FF00FF00FF00FFu) + ((lanes >> 8) & 0x00FF00FF00FF00FFu);
    count += static_cast<std::size_t>((pairs * 0x0001000100010001u) >> 48);
  }
  for (; first < last; ++first) count += is_digit(first[0]) && !is_digit(first[-1]);
  return count;
}

}  // namespace crucible::heap
