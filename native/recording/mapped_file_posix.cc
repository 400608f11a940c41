#include "mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "failure.h"

namespace crucible::recording {

namespace {

[[noreturn]] void cannot_create(const std::string& path, SystemError error) {
  const char* fix = "choose another path for the recording";
  if (error == ENOENT || error == ENOTDIR) fix = "create the folder first, or choose another path";
  if (error == EACCES || error == EPERM || error == EROFS)
    fix = "choose a folder that this user may write to, or change its permissions";
  if (error == ENOSPC || error == EDQUOT) fix = "free some space, or choose a path on another disk";
  throw Failure("RECORDING_UNWRITABLE",
                {"the recording " + path + " cannot be created", text_of(error), fix});
}

std::int64_t now_ns(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

void MappedRange::unmap() noexcept {
  if (mapping_ != nullptr) munmap(mapping_, mapping_bytes_);
  mapping_ = nullptr;
}

MappedFile::MappedFile(const std::string& path) {
  struct stat existing {};
  if (lstat(path.c_str(), &existing) == 0) {
    // Only a regular file may be replaced: a device must not be unlinked.
    if (S_ISDIR(existing.st_mode)) cannot_create(path, EISDIR);
    if (!S_ISREG(existing.st_mode)) cannot_create(path, EEXIST);
    if (unlink(path.c_str()) != 0) cannot_create(path, errno);
  }
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor_ < 0) cannot_create(path, errno);
}

MappedFile::~MappedFile() { close(descriptor_); }

SystemError MappedFile::reserve(std::uint64_t from, std::uint64_t to) noexcept {
#if defined(__APPLE__)
  fstore_t wanted{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(to - from), 0};
  if (fcntl(descriptor_, F_PREALLOCATE, &wanted) != 0) return errno;
  return ftruncate(descriptor_, static_cast<off_t>(to)) == 0 ? 0 : errno;
#else
  SystemError error;
  do {
    error = posix_fallocate(descriptor_, static_cast<off_t>(from), static_cast<off_t>(to - from));
  } while (error == EINTR);
  if (error != EOPNOTSUPP && error != EINVAL) return error;
  // A file system without fallocate, and a C library that does not emulate it: write the zeros.
  static constexpr char kZeros[4096] = {};
  for (std::uint64_t at = from; at < to;) {
    const auto rest = static_cast<std::size_t>(to - at);
    const ssize_t written =
        pwrite(descriptor_, kZeros, rest < sizeof kZeros ? rest : sizeof kZeros, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    at += static_cast<std::uint64_t>(written);
  }
  return 0;
#endif
}

SystemError MappedFile::map(std::uint64_t offset, std::size_t bytes, MappedRange& range) noexcept {
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::size_t skip = static_cast<std::size_t>(offset % page_bytes);
  int flags = MAP_SHARED;
#if defined(MAP_POPULATE)
  flags |= MAP_POPULATE;  // a first touch later would cost milliseconds in the sampler's loop
#endif
  void* mapping = mmap(nullptr, bytes + skip, PROT_READ | PROT_WRITE, flags, descriptor_,
                       static_cast<off_t>(offset - skip));
  if (mapping == MAP_FAILED) return errno;
  range = MappedRange(static_cast<std::byte*>(mapping), bytes + skip, skip);
  return 0;
}

void MappedFile::truncate(std::uint64_t bytes) noexcept {
  // Failing is harmless: the reader skips reserved blocks that were never used.
  [[maybe_unused]] const int result = ftruncate(descriptor_, static_cast<off_t>(bytes));
}

std::string text_of(SystemError error) { return std::system_category().message(error); }

std::int64_t monotonic_now_ns() noexcept {
#if defined(__APPLE__)
  return static_cast<std::int64_t>(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW));  // what libuv's hrtime reads
#else
  return now_ns(CLOCK_MONOTONIC);
#endif
}

std::int64_t epoch_now_ns() noexcept { return now_ns(CLOCK_REALTIME); }

std::uint32_t current_pid() noexcept { return static_cast<std::uint32_t>(getpid()); }

}  // namespace crucible::recording
