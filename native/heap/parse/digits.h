#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace crucible::heap {

/** Bytes that must be readable after a position for `read_digits` and what follows it. */
inline constexpr std::ptrdiff_t kDigitsLookahead = 24;

static_assert(std::endian::native == std::endian::little, "the first digit must be in the low byte");
/** Eight times '0': a digit with it taken off, by xor, is at most nine. */
inline constexpr std::uint64_t kZeroDigits = 0x3030303030303030u;
/** Added to a byte, sets its high bit if it is more than nine. */
inline constexpr std::uint64_t kTooLarge = 0x7676767676767676u;
inline constexpr std::uint64_t kHighBits = 0x8080808080808080u;

/** Eight digits, the first one in the low byte: pairs, then fours, then all. */
[[nodiscard]] constexpr std::uint64_t sum_digits(std::uint64_t word) {
  word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FFu;
  word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFFu;
  return (word * 10000 + (word >> 32)) & 0xFFFFFFFFu;
}

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
  const auto digits_in = [](std::uint64_t word) {
    // Of no other byte than a digit: eight.
    return std::countr_zero(((word + kTooLarge) | word) & kHighBits) >> 3;
  };
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  word ^= kZeroDigits;
  const int digits = digits_in(word);
  if (digits == 0) [[unlikely]] return nullptr;
  value = sum_digits(word << (64 - 8 * digits));
  p += digits;
  if (static_cast<unsigned char>(*p - '0') > 9) [[likely]] return p;
  std::memcpy(&word, p, sizeof word);
  word ^= kZeroDigits;
  const int more = digits_in(word);
  if (more == 8) return nullptr;
  static constexpr std::uint64_t kPowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  value = value * kPowers[more] + sum_digits(word << (64 - 8 * more));
  return p + more;
}

/**
 * The number of one to eight digits that ends before `end`; eight bytes there
 * must be readable. `wrong` gets bits set if one of them is no digit.
 */
[[nodiscard]] inline std::uint64_t digits_before(const char* end, std::uint32_t digits, std::uint64_t& wrong) {
  std::uint64_t word;
  std::memcpy(&word, end - sizeof word, sizeof word);
  const std::uint32_t others = 64 - 8 * digits;
  word = (word ^ kZeroDigits) >> others << others;
  wrong |= ((word + kTooLarge) | word) & kHighBits;
  return sum_digits(word);
}

[[nodiscard]] inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace crucible::heap
