#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define CRUCIBLE_CHECKSUM_INSTRUCTION
#endif

namespace crucible::recording {

/**
 * CRC-32C (Castagnoli), eight bytes a step from eight tables (8 KiB in all):
 * about 1.5 GB/s, which is 45 us for a full block and a few ns for a record.
 * x86 processors since 2008 have an instruction for it, five times as fast.
 */
class Crc32c {
 public:
  /** @param crc the checksum of what came before, to go on with */
  [[nodiscard]] static std::uint32_t of(const std::byte* bytes, std::size_t count,
                                        std::uint32_t crc = 0) noexcept {
#if defined(CRUCIBLE_CHECKSUM_INSTRUCTION)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return by_instruction(bytes, count, crc);
#endif
    return from_tables(bytes, count, crc);
  }

  /** The same on any processor. */
  [[nodiscard]] static std::uint32_t from_tables(const std::byte* bytes, std::size_t count,
                                                 std::uint32_t crc = 0) noexcept {
    crc = ~crc;
    for (; count >= 8; count -= 8, bytes += 8) {
      std::uint32_t low;
      std::uint32_t high;
      std::memcpy(&low, bytes, 4);
      std::memcpy(&high, bytes + 4, 4);
      low ^= crc;
      crc = kTables[7][low & 0xff] ^ kTables[6][(low >> 8) & 0xff] ^ kTables[5][(low >> 16) & 0xff] ^
            kTables[4][low >> 24] ^ kTables[3][high & 0xff] ^ kTables[2][(high >> 8) & 0xff] ^
            kTables[1][(high >> 16) & 0xff] ^ kTables[0][high >> 24];
    }
    for (; count > 0; count--, bytes++)
      crc = kTables[0][(crc ^ static_cast<std::uint32_t>(*bytes)) & 0xff] ^ (crc >> 8);
    return ~crc;
  }

 private:
#if defined(CRUCIBLE_CHECKSUM_INSTRUCTION)
  __attribute__((target("sse4.2"))) static std::uint32_t by_instruction(const std::byte* bytes, std::size_t count,
                                                                        std::uint32_t crc) noexcept {
    std::uint64_t wide = ~crc;
    for (; count >= 8; count -= 8, bytes += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, bytes, 8);
      wide = _mm_crc32_u64(wide, eight);
    }
    crc = static_cast<std::uint32_t>(wide);
    for (; count > 0; count--, bytes++) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(*bytes));
    return ~crc;
  }
#endif

  using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

  static constexpr Tables tables() {
    Tables made{};
    for (std::uint32_t byte = 0; byte < 256; byte++) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
      made[0][byte] = crc;
    }
    for (std::uint32_t byte = 0; byte < 256; byte++)
      for (std::size_t table = 1; table < 8; table++)
        made[table][byte] = made[0][made[table - 1][byte] & 0xff] ^ (made[table - 1][byte] >> 8);
    return made;
  }

  static const Tables kTables;
};

inline constexpr Crc32c::Tables Crc32c::kTables = Crc32c::tables();

}  // namespace crucible::recording
