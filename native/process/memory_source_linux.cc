#include "memory_source.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <mutex>
#include <string>

#include "../recording/failure.h"
#include "memory_map_linux.h"
#include "proc_file_linux.h"
#include "thread_stacks_linux.h"

namespace crucible::process {

namespace {

constexpr char kStatm[] = "/proc/self/statm";
constexpr char kStatus[] = "/proc/self/status";

std::uint64_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

struct Statm {
  std::uint64_t size_pages;
  std::uint64_t resident_pages;
};

/** "size resident shared text lib data dt" */
Statm parse_statm(std::string_view text) noexcept {
  const std::uint64_t size_pages = take_number(text);
  return {size_pages, take_number(text)};
}

/** VmData: what RLIMIT_DATA is compared with. */
std::uint64_t data_bytes() {
  char buffer[4096];
  const ProcFile status(kStatus);
  const double kilobytes = number_after(status.read(buffer), "VmData:");
  if (std::isnan(kilobytes)) fail_unreadable(kStatus, status.is_open() ? EACCES : status.error());
  return static_cast<std::uint64_t>(kilobytes) * 1024;
}

/** There is one limit for the whole process, whichever worker thread sets it. */
std::mutex limit_mutex;
std::optional<rlim_t> limit_before;

}  // namespace

RssReader::RssReader() : descriptor_(open(kStatm, O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail_unreadable(kStatm, errno);
  if (std::isnan(bytes())) {
    close(descriptor_);
    fail_unreadable(kStatm, EACCES);
  }
}

RssReader::~RssReader() { close(descriptor_); }

double RssReader::bytes() noexcept {
  char buffer[128];
  const ssize_t length = pread(descriptor_, buffer, sizeof buffer, 0);
  if (length <= 0) return kAbsent;
  const Statm statm = parse_statm({buffer, static_cast<std::size_t>(length)});
  return statm.resident_pages == 0 ? kAbsent : static_cast<double>(statm.resident_pages * page_bytes());
}

struct MemoryReader::Sources {
  RssReader rss;
  ProcFile status{kStatus};
  ProcFile smaps_rollup{"/proc/self/smaps_rollup"};
  ThreadStacks stacks;
  MemoryMap map;
};

MemoryReader::MemoryReader() : sources_(std::make_unique<Sources>()) {}
MemoryReader::~MemoryReader() = default;

ProcessMemory MemoryReader::read() {
  ProcessMemory memory;
  memory.rss_bytes = sources_->rss.bytes();

  char buffer[4096];
  const std::string_view status = sources_->status.read(buffer);
  memory.anonymous_bytes = number_after(status, "RssAnon:") * 1024;
  memory.file_bytes = (number_after(status, "RssFile:") + number_after(status, "RssShmem:")) * 1024;
  memory.thread_count = number_after(status, "Threads:");

  const bool all_stacks_found = sources_->stacks.find();
  const auto figures = sources_->map.read(sources_->stacks.addresses(), sources_->stacks.mappings());
  if (figures.is_known) {
    memory.map_heap_bytes = static_cast<double>(figures.heap_bytes);
    if (all_stacks_found)
      memory.stack_bytes = static_cast<double>(figures.main_stack_bytes + sources_->stacks.resident_bytes());
  }
  return memory;
}

double MemoryReader::pss_bytes() noexcept {
  char buffer[2048];
  return number_after(sources_->smaps_rollup.read(buffer), "\nPss:") * 1024;
}

std::optional<std::uint64_t> rss_of(std::int64_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/statm";
  const ProcFile file(path.c_str());
  if (!file.is_open()) {
    // Hidden processes look like dead ones; only a signal tells them apart.
    const bool is_alive = kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
    if (!is_alive) return std::nullopt;
    fail_unreadable(path, file.error() == ENOENT && access(kStatm, R_OK) == 0 ? EACCES : file.error());
  }
  char buffer[128];
  const Statm statm = parse_statm(file.read(buffer));
  // A process that has ended and was not waited for has a file, and no memory.
  if (statm.size_pages == 0) return std::nullopt;
  return statm.resident_pages * page_bytes();
}

std::optional<std::uint64_t> limit_memory_growth(std::uint64_t bytes) {
  const std::lock_guard lock(limit_mutex);
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0) return std::nullopt;
  const rlim_t before = limit_before.value_or(limit.rlim_cur);
  limit.rlim_cur = std::min<rlim_t>(data_bytes() + bytes, limit.rlim_max);  // RLIM_INFINITY is the largest
  if (setrlimit(RLIMIT_DATA, &limit) != 0) return std::nullopt;
  limit_before = before;
  return limit.rlim_cur;
}

void unlimit_memory_growth() noexcept {
  const std::lock_guard lock(limit_mutex);
  rlimit limit{};
  if (!limit_before || getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = *limit_before;
  if (setrlimit(RLIMIT_DATA, &limit) == 0) limit_before.reset();
}

}  // namespace crucible::process
