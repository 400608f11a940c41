#pragma once

#include <cstddef>
#include <cstdint>

namespace crucible::heap {

/**
 * What NumberBlock does with eight bytes at a time, for x86 processors with
 * AVX2, which take 32. On others is_available() is false, and nothing else may
 * be called.
 */
namespace wide {

[[nodiscard]] bool is_available();

/** What the last byte before a word was. */
struct Before {
  std::uint64_t digit = 0;
  std::uint64_t line_end = 0;
};

/**
 * Of each word of 64 bytes, writes where numbers end, one bit a byte, and how
 * many do. Adds to `wrong` the bits of bytes that belong neither into `1,2` nor
 * into `1\n,2`; the bracket that ends a list may follow either.
 * @returns how many numbers end in all of the words
 */
std::size_t find_ends(const char* text, std::size_t words, Before& before, std::uint64_t* ends, std::uint8_t* counts,
                      std::uint64_t& wrong);

/**
 * Reads numbers of one to eight digits, four at a time, as long as there are
 * four and none is longer; the rest is the caller's. They end before text +
 * ends[0], ends[1] and so on; ends[-1] is where the number before them ended.
 * @returns how many were read
 */
std::size_t read_numbers(const char* text, const std::uint32_t* ends, std::size_t count, std::uint64_t* values);

}  // namespace wide

}  // namespace crucible::heap
