#include "heap/parse/wide_numbers.h"

#include <cstring>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>
#define CRUCIBLE_WIDE __attribute__((target("avx2,popcnt")))
#endif

namespace crucible::heap::wide {

#if defined(CRUCIBLE_WIDE)

namespace {

/** Of 64 bytes, those that are so, one bit each. */
CRUCIBLE_WIDE inline std::uint64_t as_bits(__m256i low, __m256i high) {
  const auto low_bits = static_cast<std::uint32_t>(_mm256_movemask_epi8(low));
  const auto high_bits = static_cast<std::uint32_t>(_mm256_movemask_epi8(high));
  return low_bits | std::uint64_t{high_bits} << 32;
}

CRUCIBLE_WIDE inline std::uint64_t bits_equal(__m256i low, __m256i high, char to) {
  const __m256i wanted = _mm256_set1_epi8(to);
  return as_bits(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
}

/** A byte that is no more than nine without '0', its sign not counted. */
CRUCIBLE_WIDE inline __m256i are_digits(__m256i bytes) {
  const __m256i values = _mm256_xor_si256(bytes, _mm256_set1_epi8('0'));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(values, _mm256_set1_epi8(9)), values);
}

CRUCIBLE_WIDE inline long long load_eight(const char* from) {
  long long bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

}  // namespace

bool is_available() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"); }

CRUCIBLE_WIDE std::size_t find_ends(const char* text, std::size_t words, Before& before, std::uint64_t* ends,
                                    std::uint8_t* counts, std::uint64_t& wrong) {
  std::size_t total = 0;
  for (std::size_t word = 0; word < words; ++word) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 64 * word));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 64 * word + 32));
    const std::uint64_t digits = as_bits(are_digits(low), are_digits(high));
    const std::uint64_t commas = bits_equal(low, high, ',');
    const std::uint64_t line_ends = bits_equal(low, high, '\n');
    const std::uint64_t brackets = bits_equal(low, high, ']');
    const std::uint64_t after_digit = digits << 1 | before.digit;
    const std::uint64_t after_line_end = line_ends << 1 | before.line_end;
    before = {digits >> 63, line_ends >> 63};
    wrong |= ~(digits | commas | line_ends | brackets);
    wrong |= line_ends & ~after_digit;
    wrong |= (commas | brackets) & ~(after_digit | after_line_end);
    wrong |= digits & after_line_end;
    ends[word] = after_digit & ~digits;
    counts[word] = static_cast<std::uint8_t>(_mm_popcnt_u64(ends[word]));
    total += counts[word];
  }
  return total;
}

CRUCIBLE_WIDE std::size_t read_numbers(const char* text, const std::uint32_t* ends, std::size_t count,
                                       std::uint64_t* values) {
  const __m256i zero_digits = _mm256_set1_epi8('0');
  const __m256i nine = _mm256_set1_epi8(9);
  const __m256i tens = _mm256_set1_epi16(1 << 8 | 10);
  const __m256i hundreds = _mm256_set1_epi32(1 << 16 | 100);
  const __m256i ten_thousands = _mm256_set1_epi64x(10000);
  // Eight digits and what separates them from the number before.
  const __m128i longest = _mm_set1_epi32(9);
  std::size_t at = 0;
  for (; at + 4 <= count; at += 4) {
    const __m128i end = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ends + at));
    const __m128i end_before = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ends + at - 1));
    if (_mm_movemask_epi8(_mm_cmpgt_epi32(_mm_sub_epi32(end, end_before), longest)) != 0) break;
    __m256i digits = _mm256_set_epi64x(load_eight(text + ends[at + 3] - 8), load_eight(text + ends[at + 2] - 8),
                                       load_eight(text + ends[at + 1] - 8), load_eight(text + ends[at] - 8));
    digits = _mm256_xor_si256(digits, zero_digits);
    // Whatever precedes a byte that is no digit belongs to other numbers.
    __m256i others = _mm256_cmpgt_epi8(digits, nine);
    others = _mm256_or_si256(others, _mm256_srli_epi64(others, 8));
    others = _mm256_or_si256(others, _mm256_srli_epi64(others, 16));
    others = _mm256_or_si256(others, _mm256_srli_epi64(others, 32));
    digits = _mm256_andnot_si256(others, digits);
    // Pairs, fours, and both fours of each number in their own half of it.
    const __m256i fours = _mm256_madd_epi16(_mm256_maddubs_epi16(digits, tens), hundreds);
    const __m256i numbers = _mm256_add_epi64(_mm256_mul_epu32(fours, ten_thousands), _mm256_srli_epi64(fours, 32));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values + at), numbers);
  }
  return at;
}

#else

bool is_available() { return false; }
std::size_t find_ends(const char*, std::size_t, Before&, std::uint64_t*, std::uint8_t*, std::uint64_t&) { return 0; }
std::size_t read_numbers(const char*, const std::uint32_t*, std::size_t, std::uint64_t*) { return 0; }

#endif

}  // namespace crucible::heap::wide
