#pragma once

#include <cstdint>
#include <string_view>

namespace crucible::heap {

struct SipKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): without the key nobody can find
 * the text of a hash by hashing likely texts.
 */
[[nodiscard]] std::uint64_t sip_hash(SipKey key, std::string_view text);

}  // namespace crucible::heap
