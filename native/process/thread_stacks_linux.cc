#include "thread_stacks_linux.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace crucible::process {

namespace {

/** As the kernel fills it in; the C library does not declare it. */
struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short entry_bytes;
  unsigned char type;
  char name[];
};

/** The largest stack that a thread gets unless it asks for more: Node's ask for 4 or 8 MiB. */
std::uint64_t largest_stack() {
  std::uint64_t bytes = 8u << 20;
  pthread_attr_t attributes;
  std::size_t default_bytes = 0;
  if (pthread_attr_init(&attributes) == 0) {
    if (pthread_attr_getstacksize(&attributes, &default_bytes) == 0) bytes = std::max(bytes, std::uint64_t{default_bytes});
    pthread_attr_destroy(&attributes);
  }
  return bytes + (64u << 10);  // guard pages and thread-local data
}

Address descriptor_of(pid_t tid) noexcept {
#if defined(SYS_get_robust_list)
  void* head = nullptr;
  std::size_t bytes = 0;
  if (syscall(SYS_get_robust_list, tid, &head, &bytes) == 0) return reinterpret_cast<Address>(head);
#endif
  return 0;
}

}  // namespace

ThreadStacks::ThreadStacks()
    : task_folder_(open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      pid_(getpid()),
      stack_bytes_max_(largest_stack()) {
  threads_.reserve(256);
  addresses_.reserve(256);
  mappings_.reserve(256);
}

ThreadStacks::~ThreadStacks() {
  if (task_folder_ >= 0) close(task_folder_);
}

bool ThreadStacks::find() {
  addresses_.clear();
  if (!list_threads()) return false;
  bool all_found = true;
  for (Thread& thread : threads_) {
    // A thread that ends while we look has no stack any more, and is no gap.
    if (!locate(thread) && thread.address == 0 && syscall(SYS_tgkill, pid_, thread.tid, 0) == 0) all_found = false;
    if (thread.address != 0) addresses_.push_back(thread.address);
  }
  std::sort(addresses_.begin(), addresses_.end());
  mappings_.reserve(addresses_.size());
  return all_found;
}

bool ThreadStacks::list_threads() {
  for (Thread& thread : threads_) thread.is_alive = false;
  if (lseek(task_folder_, 0, SEEK_SET) < 0) return false;
  const std::size_t known = threads_.size();
  alignas(DirectoryEntry) char buffer[8192];
  while (true) {
    const long length = syscall(SYS_getdents64, task_folder_, buffer, sizeof buffer);
    if (length < 0) return false;
    if (length == 0) break;
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      at += entry->entry_bytes;
      std::string_view name(entry->name);
      const auto tid = static_cast<pid_t>(take_number(name));
      if (tid == 0 || tid == pid_) continue;
      const auto end = threads_.begin() + static_cast<std::ptrdiff_t>(known);
      const auto found = std::lower_bound(threads_.begin(), end, tid, [](const Thread& t, pid_t id) { return t.tid < id; });
      if (found != end && found->tid == tid) found->is_alive = true;
      else threads_.push_back({tid, 0, false, true});
    }
  }
  std::erase_if(threads_, [](const Thread& thread) { return !thread.is_alive; });
  std::sort(threads_.begin(), threads_.end(), [](const Thread& a, const Thread& b) { return a.tid < b.tid; });
  return true;
}

/** Looked up anew each time: a number may have gone to another thread since. */
bool ThreadStacks::locate(Thread& thread) const noexcept {
  if (const Address descriptor = descriptor_of(thread.tid)) {
    thread.address = descriptor;
    thread.is_descriptor = true;
    return true;
  }
  char path[64];
  char buffer[256];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", thread.tid);
  std::string_view text = ProcFile(path).read(buffer);
  // "number arguments... 0xstack 0xprogram\n", or "running\n"
  const std::size_t last = text.rfind(" 0x");
  const std::size_t before = last == std::string_view::npos || last == 0 ? last : text.rfind(" 0x", last - 1);
  if (before == std::string_view::npos) return false;
  text.remove_prefix(before + 3);
  thread.address = take_number(text, 16);
  thread.is_descriptor = false;
  return thread.address != 0;
}

AddressRange ThreadStacks::reach_of(const Thread& thread, const AddressRange& mapping) const noexcept {
  if (mapping.end - mapping.begin <= stack_bytes_max_) return mapping;
  constexpr Address kPage = 4096;
  constexpr Address kDescriptorBytes = 4096;
  if (thread.is_descriptor) {
    const Address top = std::min(mapping.end, (thread.address + kDescriptorBytes) / kPage * kPage + kPage);
    return {top - std::min(top - mapping.begin, Address{stack_bytes_max_} / kPage * kPage), top};
  }
  const Address bottom = std::max(mapping.begin, thread.address / kPage * kPage);
  return {bottom, bottom + std::min(mapping.end - bottom, Address{stack_bytes_max_} / kPage * kPage)};
}

std::uint64_t ThreadStacks::resident_bytes() const noexcept {
  std::uint64_t bytes = 0;
  Address counted_to = 0;
  // Mappings come in ascending order; the stretches of two threads in one of them may overlap.
  for (const AddressRange& mapping : mappings_) {
    const auto first = std::lower_bound(addresses_.begin(), addresses_.end(), mapping.begin);
    for (auto address = first; address != addresses_.end() && *address < mapping.end; ++address) {
      const auto thread =
          std::find_if(threads_.begin(), threads_.end(), [&](const Thread& t) { return t.address == *address; });
      AddressRange reach = reach_of(*thread, mapping);
      reach.begin = std::max(reach.begin, counted_to);
      if (reach.begin >= reach.end) continue;
      bytes += process::resident_bytes(reach);
      counted_to = reach.end;
    }
  }
  return bytes;
}

}  // namespace crucible::process
