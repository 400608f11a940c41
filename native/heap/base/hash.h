#pragma once

#include <cstdint>
#include <string_view>

namespace crucible::heap {

/** Spreads every bit of `value` over the whole result. */
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93u;
  value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93u;
  return value ^ (value >> 32);
}

[[nodiscard]] constexpr std::uint64_t combine(std::uint64_t left, std::uint64_t right) {
  return mix(left * 0x9E3779B97F4A7C15u + right);
}

/** Equal on every machine and in every run; 64 bits are taken as identity of a text. */
[[nodiscard]] constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0x2545F4914F6CDD1Du ^ text.size();
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    for (int byte = 0; byte < 8; ++byte)
      word |= std::uint64_t{static_cast<unsigned char>(text[at + byte])} << (8 * byte);
    hash = (hash ^ word) * 0x9FB21C651E98DF25u;
    hash ^= hash >> 32;
  }
  std::uint64_t tail = 0;
  for (std::size_t byte = 0; byte < text.size() % 8; ++byte)
    tail |= std::uint64_t{static_cast<unsigned char>(text[at + byte])} << (8 * byte);
  return mix(hash ^ tail * 0x9FB21C651E98DF25u);
}

}  // namespace crucible::heap
