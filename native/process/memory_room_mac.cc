#include "memory_room.h"

#include <mach/mach.h>
#include <sys/sysctl.h>

#include <cstdint>

namespace crucible::process {

struct MemoryRoomReader::Limits {};

MemoryRoomReader::MemoryRoomReader(const std::string&) {}
MemoryRoomReader::~MemoryRoomReader() = default;

/** Only the system's memory: there are no cgroups. */
MemoryRoom MemoryRoomReader::read() const noexcept {
  vm_statistics64_data_t statistics{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  std::uint64_t total_bytes = 0;
  std::size_t size = sizeof total_bytes;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&statistics), &count) !=
          KERN_SUCCESS ||
      sysctlbyname("hw.memsize", &total_bytes, &size, nullptr, 0) != 0)
    return {};
  const double available_bytes =
      static_cast<double>(vm_kernel_page_size) * (statistics.free_count + statistics.inactive_count);
  const auto total = static_cast<double>(total_bytes);
  return {available_bytes, total, total - available_bytes, "the system"};
}

}  // namespace crucible::process
