#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace crucible::recording {

inline constexpr std::size_t kVarintBytesMax = 10;

/** Small positive and negative numbers become small unsigned ones: 0, -1, 1, -2 -> 0, 1, 2, 3. */
[[nodiscard]] inline std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

[[nodiscard]] inline std::size_t varint_bytes(std::uint64_t value) noexcept {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) bytes++;
  return bytes;
}

/** Writes forward into memory that the caller has made sure is large enough. */
class ByteCursor {
 public:
  explicit ByteCursor(std::byte* at) noexcept : at_(at) {}

  void byte(std::uint8_t value) noexcept { *at_++ = static_cast<std::byte>(value); }

  void varint(std::uint64_t value) noexcept {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }

  void real(double value) noexcept {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }

  void text(std::string_view value) noexcept {
    if (value.empty()) return;
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }

  [[nodiscard]] std::byte* at() const noexcept { return at_; }

 private:
  std::byte* at_;
};

}  // namespace crucible::recording
