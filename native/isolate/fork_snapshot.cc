#include "fork_snapshot.h"

#include "../recording/failure.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <dirent.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>
#include <v8.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "collection_watch.h"

namespace crucible::isolate {

namespace {

struct Range {
  char* start;
  std::size_t bytes;
};

/** Memory that is marked as not to be inherited: "dc" (don't copy) among the VmFlags. */
std::vector<Range> uninherited_ranges() {
  std::vector<Range> ranges;
  FILE* smaps = std::fopen("/proc/self/smaps", "re");
  if (smaps == nullptr) return ranges;
  char* line = nullptr;
  std::size_t capacity = 0;
  unsigned long start = 0;
  unsigned long end = 0;
  while (getline(&line, &capacity, smaps) > 0) {
    unsigned long from, to;
    if (std::strncmp(line, "VmFlags:", 8) == 0) {
      if (std::strstr(line, " dc") != nullptr) ranges.push_back({reinterpret_cast<char*>(start), end - start});
    } else if (std::sscanf(line, "%lx-%lx ", &from, &to) == 2) {
      start = from;
      end = to;
    }
  }
  std::free(line);
  std::fclose(smaps);
  return ranges;
}

/** Lifts the marks for as long as it lives, in the process that made it. */
class Inherited {
 public:
  Inherited() : ranges_(uninherited_ranges()) { advise(MADV_DOFORK); }
  ~Inherited() { advise(MADV_DONTFORK); }

 private:
  void advise(int advice) const {
    for (const Range& range : ranges_) madvise(range.start, range.bytes, advice);
  }
  std::vector<Range> ranges_;
};

int nobody_waits(pthread_cond_t*) { return 0; }

/** Entries of the dynamic linker's tables through which one object calls others. */
class ImportTable {
 public:
  explicit ImportTable(const dl_phdr_info& object) : base_(object.dlpi_addr) {
    const ElfW(Dyn)* entry = nullptr;
    for (int i = 0; i < object.dlpi_phnum; i++)
      if (object.dlpi_phdr[i].p_type == PT_DYNAMIC)
        entry = reinterpret_cast<const ElfW(Dyn)*>(base_ + object.dlpi_phdr[i].p_vaddr);
    for (; entry != nullptr && entry->d_tag != DT_NULL; entry++) {
      switch (entry->d_tag) {
        case DT_JMPREL: calls_ = at<ElfW(Rela)>(*entry); break;
        case DT_PLTRELSZ: call_count_ = entry->d_un.d_val / sizeof(ElfW(Rela)); break;
        case DT_RELA: others_ = at<ElfW(Rela)>(*entry); break;
        case DT_RELASZ: other_count_ = entry->d_un.d_val / sizeof(ElfW(Rela)); break;
        case DT_SYMTAB: symbols_ = at<ElfW(Sym)>(*entry); break;
        case DT_STRTAB: names_ = at<char>(*entry); break;
        default: break;
      }
    }
  }

  void replace(const char* name, void* by) const {
    if (symbols_ == nullptr || names_ == nullptr) return;
    replace_in(calls_, call_count_, name, by);
    replace_in(others_, other_count_, name, by);
  }

 private:
  /** glibc has added the base already, other C libraries have not. */
  template <class T>
  const T* at(const ElfW(Dyn) & entry) const {
    const auto address = entry.d_un.d_ptr;
    return reinterpret_cast<const T*>(address < base_ ? base_ + address : address);
  }

  void replace_in(const ElfW(Rela) * entries, std::size_t count, const char* name, void* by) const {
#if defined(__x86_64__)
    constexpr unsigned kCall = R_X86_64_JUMP_SLOT, kAddress = R_X86_64_GLOB_DAT;
#else
    constexpr unsigned kCall = R_AARCH64_JUMP_SLOT, kAddress = R_AARCH64_GLOB_DAT;
#endif
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (std::size_t i = 0; i < count; i++) {
      const auto type = ELF64_R_TYPE(entries[i].r_info);
      if (type != kCall && type != kAddress) continue;
      if (std::strcmp(names_ + symbols_[ELF64_R_SYM(entries[i].r_info)].st_name, name) != 0) continue;
      auto* const slot = reinterpret_cast<void**>(base_ + entries[i].r_offset);
      const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(slot) & ~(page - 1);
      mprotect(reinterpret_cast<void*>(start), page, PROT_READ | PROT_WRITE);
      *slot = by;
    }
  }

  ElfW(Addr) base_;
  const ElfW(Rela) * calls_ = nullptr;
  const ElfW(Rela) * others_ = nullptr;
  std::size_t call_count_ = 0;
  std::size_t other_count_ = 0;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
};

void wake_nobody() {
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void*) {
        // The C library itself and the kernel's page stay as they are: Node's and V8's calls are what matters.
        const char* name = object->dlpi_name;
        if (std::strstr(name, "/libc.") != nullptr || std::strstr(name, "vdso") != nullptr) return 0;
        const ImportTable imports(*object);
        for (const char* call : {"pthread_cond_signal", "pthread_cond_broadcast"})
          imports.replace(call, reinterpret_cast<void*>(nobody_waits));
        return 0;
      },
      nullptr);
}

/** The parent's handlers would write to its own pipes, which the child shares. */
void take_no_signals_of_the_parent() {
  for (int signal = 1; signal < NSIG; signal++) std::signal(signal, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/**
 * A connection that the parent closes would stay open otherwise, for as long as
 * the child lives. The descriptors become those of /dev/null rather than none:
 * libuv aborts when it cannot write to its own.
 */
void keep_only(int descriptor) {
  const int nothing = open("/dev/null", O_RDWR);
  if (nothing < 0) return;
  const auto replace = [&](int other) {
    if (other != descriptor && other != nothing) dup2(nothing, other);
  };
  DIR* open_now = opendir("/proc/self/fd");
  if (open_now == nullptr) return;
  while (const dirent* entry = readdir(open_now)) {
    const int other = std::atoi(entry->d_name);
    const bool is_number = entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    if (is_number && other != dirfd(open_now)) replace(other);
  }
  closedir(open_now);
}

/** Should memory run out while there are two of us, it is the child that the kernel is to kill. */
void be_first_to_be_killed() {
  const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score < 0) return;
  if (write(score, "1000", 4) != 4) {
    // A sandbox forbids it: then the kernel decides by size.
  }
  close(score);
}

std::size_t raise_the_limit(void*, std::size_t current_bytes, std::size_t) {
  constexpr std::size_t kMoreBytes = std::size_t{1} << 30;
  return current_bytes + kMoreBytes;
}

[[noreturn]] void be_the_child(v8::Isolate* isolate, const ForkOptions& options, SnapshotControl* control) {
  this_is_a_forked_child();
  take_no_signals_of_the_parent();
  // Nobody would give the finished file its name.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(options.seconds_max);
  wake_nobody();
  keep_only(options.descriptor);
  be_first_to_be_killed();
  constexpr int kNicer = 10;
  setpriority(PRIO_PROCESS, 0, kNicer);
  isolate->AddNearHeapLimitCallback(raise_the_limit, nullptr);
  const SnapshotOutcome outcome =
      write_snapshot(isolate, {options.descriptor, options.bytes_max, options.includes_numbers, control});
  switch (outcome.kind) {
    case SnapshotOutcome::complete: _exit(ForkedSnapshot::kExitComplete);
    case SnapshotOutcome::cancelled: _exit(ForkedSnapshot::kExitCancelled);
    case SnapshotOutcome::too_large: _exit(ForkedSnapshot::kExitTooLarge);
    default: _exit(ForkedSnapshot::kExitUnwritable);
  }
}

[[noreturn]] void cannot_fork(int error) {
  throw Failure("SNAPSHOT_FORK_FAILED", {"no child process could be forked for the snapshot",
                                         std::system_category().message(error),
                                         "free some memory, or take the snapshot in the process itself"});
}

}  // namespace

bool ForkedSnapshot::is_supported() noexcept { return true; }

ForkedSnapshot::ForkedSnapshot(v8::Isolate* isolate, const ForkOptions& options) {
  const auto began_ns = uv_hrtime();
  void* shared = mmap(nullptr, sizeof(SnapshotControl), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) cannot_fork(errno);
  control_ = new (shared) SnapshotControl{};
  {
    const Inherited whole_heap;
    pid_ = fork();
    if (pid_ == 0) be_the_child(isolate, options, control_);
  }
  if (pid_ < 0) {
    const int error = errno;
    munmap(control_, sizeof(SnapshotControl));
    cannot_fork(error);
  }
  pause_ns_ = static_cast<double>(uv_hrtime() - began_ns);
}

ForkedSnapshot::~ForkedSnapshot() {
  kill();
  while (last_.is_running) {
    int status = 0;
    if (waitpid(pid_, &status, 0) == pid_ || errno != EINTR) break;
  }
  munmap(control_, sizeof(SnapshotControl));
}

ChildState ForkedSnapshot::poll() noexcept {
  if (!last_.is_running) return last_;
  int status = 0;
  rusage usage{};
  const pid_t ended = wait4(pid_, &status, WNOHANG, &usage);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return last_;
  const auto ns = [](const timeval& time) {
    return 1e9 * static_cast<double>(time.tv_sec) + 1e3 * static_cast<double>(time.tv_usec);
  };
  last_.is_running = false;
  if (ended < 0) {  // somebody else has waited for it: whether it was successful is not known
    last_.exit_code = kExitUnwritable;
    return last_;
  }
  last_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  last_.cpu_ns = ns(usage.ru_utime) + ns(usage.ru_stime);
  last_.rss_max_bytes = 1024.0 * static_cast<double>(usage.ru_maxrss);
  return last_;
}

void ForkedSnapshot::kill() noexcept {
  if (last_.is_running) ::kill(pid_, SIGKILL);
}

}  // namespace crucible::isolate

#else

namespace crucible::isolate {

bool ForkedSnapshot::is_supported() noexcept { return false; }

ForkedSnapshot::ForkedSnapshot(v8::Isolate*, const ForkOptions&) {
  throw Failure("SNAPSHOT_FORK_FAILED", {"no child process can be forked for the snapshot",
                                         "that works on Linux only, on x64 and arm64",
                                         "take the snapshot in the process itself"});
}
ForkedSnapshot::~ForkedSnapshot() = default;
ChildState ForkedSnapshot::poll() noexcept { return last_; }
void ForkedSnapshot::kill() noexcept {}

}  // namespace crucible::isolate

#endif
