#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heap/base/byte_source.h"
#include "heap/base/column.h"

namespace crucible::heap {

/**
 * Another source's bytes through a cache, for many small reads in one region.
 * For one thread. Costs up to `blocks` times 16 KB.
 */
class CachedBytes final : public ByteSource {
 public:
  explicit CachedBytes(const ByteSource& source, std::size_t blocks = 4096);
  [[nodiscard]] std::uint64_t size() const override { return source_.size(); }
  std::size_t read_at(std::uint64_t offset, char* into, std::size_t size) const override;

 private:
  struct Block {
    /** Position in the source divided by the size of a block, plus one; zero for none. */
    std::uint64_t number = 0;
    std::uint32_t size = 0;
  };
  const ByteSource& source_;
  mutable std::vector<Block> blocks_;
  mutable Column<char> bytes_;
};

}  // namespace crucible::heap
