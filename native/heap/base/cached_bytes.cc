#include "heap/base/cached_bytes.h"

#include <algorithm>
#include <cstring>

namespace crucible::heap {

namespace {
constexpr std::size_t kBlockBytes = 16 * 1024;
}

CachedBytes::CachedBytes(const ByteSource& source, std::size_t blocks)
    : source_(source), blocks_(blocks), bytes_(blocks * kBlockBytes) {}

std::size_t CachedBytes::read_at(std::uint64_t offset, char* into, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const std::uint64_t number = (offset + done) / kBlockBytes;
    Block& block = blocks_[number % blocks_.size()];
    char* const bytes = bytes_.data() + number % blocks_.size() * kBlockBytes;
    if (block.number != number + 1) {
      block.number = 0;
      block.size = static_cast<std::uint32_t>(source_.read_at(number * kBlockBytes, bytes, kBlockBytes));
      block.number = number + 1;
    }
    const std::size_t inside = (offset + done) % kBlockBytes;
    if (inside >= block.size) break;
    const std::size_t count = std::min(size - done, block.size - inside);
    std::memcpy(into + done, bytes + inside, count);
    done += count;
  }
  return done;
}

}  // namespace crucible::heap
