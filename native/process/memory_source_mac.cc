// Memory figures on macOS. Written from the documentation; not yet run on macOS.
#include <libproc.h>
#include <mach/mach.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "../recording/failure.h"
#include "memory_source.h"

namespace crucible::process {

namespace {

bool read_vm_info(task_vm_info_data_t& info) noexcept {
  mach_msg_type_number_t count = TASK_VM_INFO_COUNT;
  return task_info(mach_task_self(), TASK_VM_INFO, reinterpret_cast<task_info_t>(&info), &count) == KERN_SUCCESS;
}

double count_threads() noexcept {
  thread_act_array_t threads = nullptr;
  mach_msg_type_number_t count = 0;
  if (task_threads(mach_task_self(), &threads, &count) != KERN_SUCCESS) return kAbsent;
  for (mach_msg_type_number_t i = 0; i < count; i++) mach_port_deallocate(mach_task_self(), threads[i]);
  vm_deallocate(mach_task_self(), reinterpret_cast<vm_address_t>(threads), count * sizeof(thread_act_t));
  return count;
}

}  // namespace

RssReader::RssReader() = default;
RssReader::~RssReader() = default;

double RssReader::bytes() noexcept {
  mach_task_basic_info_data_t info;
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  const auto result =
      task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &count);
  return result == KERN_SUCCESS ? static_cast<double>(info.resident_size) : kAbsent;
}

struct MemoryReader::Sources {
  RssReader rss;
};

MemoryReader::MemoryReader() : sources_(std::make_unique<Sources>()) {}
MemoryReader::~MemoryReader() = default;

/** Proportional shares, the brk heap and stacks have no cheap equal here: absent. */
ProcessMemory MemoryReader::read() {
  ProcessMemory memory;
  memory.rss_bytes = sources_->rss.bytes();
  memory.thread_count = count_threads();
  if (task_vm_info_data_t info; read_vm_info(info)) {
    memory.anonymous_bytes = static_cast<double>(info.internal);
    memory.file_bytes = static_cast<double>(info.external);
  }
  return memory;
}

double MemoryReader::pss_bytes() noexcept { return kAbsent; }

std::optional<std::uint64_t> rss_of(std::int64_t pid) {
  proc_taskinfo info;
  if (proc_pidinfo(static_cast<int>(pid), PROC_PIDTASKINFO, 0, &info, sizeof info) == sizeof info)
    return info.pti_resident_size;
  if (kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return std::nullopt;
  throw Failure("PROC_UNREADABLE", {"the memory of process " + std::to_string(pid) + " cannot be read",
                                    "it belongs to another user", "run as its owner or as root"});
}

std::optional<std::uint64_t> limit_memory_growth(std::uint64_t) { return std::nullopt; }
void unlimit_memory_growth() noexcept {}

}  // namespace crucible::process
