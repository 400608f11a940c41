// Memory figures on Windows. Written from the documentation; not yet run on Windows.
#include <windows.h>
// after windows.h
#include <psapi.h>
#include <tlhelp32.h>

#include <string>

#include "../recording/failure.h"
#include "memory_source.h"

namespace crucible::process {

namespace {

double count_threads() noexcept {
  const HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  if (snapshot == INVALID_HANDLE_VALUE) return kAbsent;
  double count = 0;
  THREADENTRY32 entry;
  entry.dwSize = sizeof entry;
  for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry))
    if (entry.th32OwnerProcessID == GetCurrentProcessId()) count++;
  CloseHandle(snapshot);
  return count;
}

}  // namespace

RssReader::RssReader() = default;
RssReader::~RssReader() = default;

double RssReader::bytes() noexcept {
  PROCESS_MEMORY_COUNTERS counters;
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) return kAbsent;
  return static_cast<double>(counters.WorkingSetSize);
}

struct MemoryReader::Sources {
  RssReader rss;
};

MemoryReader::MemoryReader() : sources_(std::make_unique<Sources>()) {}
MemoryReader::~MemoryReader() = default;

/** Proportional shares, stacks and the split by kind have no cheap equal here: absent. */
ProcessMemory MemoryReader::read() {
  ProcessMemory memory;
  memory.rss_bytes = sources_->rss.bytes();
  memory.thread_count = count_threads();
  return memory;
}

double MemoryReader::pss_bytes() noexcept { return kAbsent; }

std::optional<std::uint64_t> rss_of(std::int64_t pid) {
  const HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(pid));
  if (process == nullptr) {
    if (GetLastError() == ERROR_INVALID_PARAMETER) return std::nullopt;
    throw Failure("PROC_UNREADABLE", {"the memory of process " + std::to_string(pid) + " cannot be read",
                                      "access is denied", "run as its owner or as administrator"});
  }
  PROCESS_MEMORY_COUNTERS counters;
  const BOOL is_read = K32GetProcessMemoryInfo(process, &counters, sizeof counters);
  CloseHandle(process);
  if (!is_read || counters.WorkingSetSize == 0) return std::nullopt;
  return counters.WorkingSetSize;
}

std::optional<std::uint64_t> limit_memory_growth(std::uint64_t) { return std::nullopt; }
void unlimit_memory_growth() noexcept {}

}  // namespace crucible::process
