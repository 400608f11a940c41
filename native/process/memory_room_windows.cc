#include "memory_room.h"

#include <windows.h>

namespace crucible::process {

struct MemoryRoomReader::Limits {};

MemoryRoomReader::MemoryRoomReader(const std::string&) {}
MemoryRoomReader::~MemoryRoomReader() = default;

/** Only the system's memory, not the limits of job objects. */
MemoryRoom MemoryRoomReader::read() const noexcept {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  if (!GlobalMemoryStatusEx(&status)) return {};
  const auto available = static_cast<double>(status.ullAvailPhys);
  const auto total = static_cast<double>(status.ullTotalPhys);
  return {available, total, total - available, "the system"};
}

}  // namespace crucible::process
