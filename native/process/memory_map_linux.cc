#include "memory_map_linux.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace crucible::process {

namespace {

/** More than the longest line: a path has 4096 characters at most. */
constexpr std::size_t kBufferBytes = 64 * 1024;

/** "55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0      [heap]" */
AddressRange take_range(std::string_view& line) noexcept {
  const Address begin = take_number(line, 16);
  if (!line.empty()) line.remove_prefix(1);
  return {begin, take_number(line, 16)};
}

}  // namespace

MemoryMap::MemoryMap() : maps_("/proc/self/maps"), buffer_(kBufferBytes) {}

MemoryMapFigures MemoryMap::read(const std::vector<Address>& addresses, std::vector<AddressRange>& mappings) {
  MemoryMapFigures figures;
  mappings.clear();
  const auto take_line = [&](std::string_view line) {
    const AddressRange range = take_range(line);
    if (line.ends_with("[heap]")) figures.heap_bytes += resident_bytes(range);
    if (line.ends_with("[stack]")) figures.main_stack_bytes += resident_bytes(range);
    const auto first = std::lower_bound(addresses.begin(), addresses.end(), range.begin);
    // No more mappings than addresses, and for those there is room.
    if (first != addresses.end() && *first < range.end && mappings.size() < mappings.capacity())
      mappings.push_back(range);
  };

  std::uint64_t offset = 0;
  std::size_t carried = 0;
  while (true) {
    const std::string_view got = maps_.read_into(buffer_.data() + carried, buffer_.size() - carried, offset);
    if (got.empty()) break;
    offset += got.size();
    std::string_view rest(buffer_.data(), carried + got.size());
    for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1))
      take_line(rest.substr(0, end));
    carried = rest.size() < buffer_.size() ? rest.size() : 0;
    std::memmove(buffer_.data(), rest.data(), carried);
  }
  figures.is_known = offset > 0;
  return figures;
}

std::uint64_t resident_bytes(AddressRange range) noexcept {
  static const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  constexpr std::size_t kPagesAtOnce = 1024;
  unsigned char in_memory[kPagesAtOnce];
  std::uint64_t pages = 0;
  for (Address at = range.begin; at < range.end; at += kPagesAtOnce * page_bytes) {
    const std::size_t bytes = std::min<std::uint64_t>(range.end - at, kPagesAtOnce * page_bytes);
    if (mincore(reinterpret_cast<void*>(at), bytes, in_memory) != 0) continue;
    const std::size_t count = (bytes + page_bytes - 1) / page_bytes;
    pages += static_cast<std::uint64_t>(std::count_if(in_memory, in_memory + count, [](auto b) { return b & 1; }));
  }
  return pages * page_bytes;
}

}  // namespace crucible::process
