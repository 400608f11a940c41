#include "heap/base/sip_hash.h"

#include <bit>
#include <cstddef>

namespace crucible::heap {

namespace {

struct State {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    word |= std::uint64_t{static_cast<unsigned char>(bytes[at])} << (8 * at);
  return word;
}

}  // namespace

std::uint64_t sip_hash(SipKey key, std::string_view text) {
  State state{key.low ^ 0x736f6d6570736575u, key.high ^ 0x646f72616e646f6du, key.low ^ 0x6c7967656e657261u,
              key.high ^ 0x7465646279746573u};
  const std::uint64_t length = text.size();
  while (text.size() >= 8) {
    state.take(little_endian(text.substr(0, 8)));
    text.remove_prefix(8);
  }
  state.take(little_endian(text) | length << 56);
  state.c ^= 0xff;
  for (int round = 0; round < 4; ++round) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace crucible::heap
