#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proc_file_linux.h"

namespace crucible::process {

using Address = std::uintptr_t;

struct AddressRange {
  Address begin;
  Address end;
};

/** What one pass over /proc/self/maps tells, with mincore() for what is resident. */
struct MemoryMapFigures {
  bool is_known = false;
  /** Resident part of the brk heap. */
  std::uint64_t heap_bytes = 0;
  /** Resident part of the main thread's stack. */
  std::uint64_t main_stack_bytes = 0;
};

/**
 * Reads the map without allocating. /proc/self/smaps would tell the resident
 * part of every mapping too, at ten to a hundred times the cost: it walks all
 * page tables, and only those of stacks and the brk heap are asked for.
 */
class MemoryMap {
 public:
  MemoryMap();

  /**
   * @param addresses sorted
   * @param mappings receives, for each mapping that holds at least one of them, its bounds; must have room
   */
  [[nodiscard]] MemoryMapFigures read(const std::vector<Address>& addresses, std::vector<AddressRange>& mappings);

 private:
  ProcFile maps_;
  std::vector<char> buffer_;
};

/** How many bytes of a range are in memory; 0 for what is not mapped (any more). */
[[nodiscard]] std::uint64_t resident_bytes(AddressRange range) noexcept;

}  // namespace crucible::process
