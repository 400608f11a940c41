#include "heap/export/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#if defined(_WIN32)
#include <io.h>
#include <process.h>
#else
#include <unistd.h>
#endif

#include "heap/base/snapshot_error.h"

namespace crucible::heap {

namespace {

#if defined(_WIN32)
constexpr int kCreateFlags = _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT;
constexpr int kExistingFlags = _O_WRONLY | _O_BINARY | _O_NOINHERIT;
int open_file(const std::string& path, int flags) { return _open(path.c_str(), flags, _S_IREAD | _S_IWRITE); }
int close_file(int descriptor) { return _close(descriptor); }
long long write_file(int descriptor, const char* bytes, std::size_t size) {
  return _write(descriptor, bytes, static_cast<unsigned>(size));
}
int process_id() { return _getpid(); }
#else
constexpr int kCreateFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
constexpr int kExistingFlags = O_WRONLY | O_CLOEXEC;
int open_file(const std::string& path, int flags) { return open(path.c_str(), flags, 0600); }
int close_file(int descriptor) { return ::close(descriptor); }
long long write_file(int descriptor, const char* bytes, std::size_t size) { return ::write(descriptor, bytes, size); }
int process_id() { return static_cast<int>(getpid()); }
#endif

std::string temporary_name(const std::string& target) {
  static std::atomic<unsigned> next{0};
  return target + ".part-" + std::to_string(process_id()) + "-" + std::to_string(next.fetch_add(1));
}

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path), target_(path) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (std::filesystem::is_directory(status)) fail(EISDIR);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    descriptor_ = open_file(target_, kExistingFlags);
    if (descriptor_ < 0) fail(errno);
    return;
  }
  // A link stays, and what it leads to is replaced.
  const auto real = std::filesystem::canonical(path_, error);
  if (!error) target_ = real.string();
  for (int attempt = 0; attempt < 100 && descriptor_ < 0; ++attempt) {
    temporary_ = temporary_name(target_);
    descriptor_ = open_file(temporary_, kCreateFlags);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ >= 0) return;
  temporary_.clear();
  fail(errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close_file(descriptor_);
  if (!temporary_.empty()) std::remove(temporary_.c_str());
}

void OutputFile::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const long long put = write_file(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail(put == 0 ? ENOSPC : errno);
    done += static_cast<std::size_t>(put);
  }
  buffer_.clear();
}

void OutputFile::commit() {
  flush();
  // Some file systems say only now that the disk is full.
  const int closed = close_file(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail(errno);
  if (temporary_.empty()) return;
  std::error_code error;
  std::filesystem::rename(temporary_, target_, error);
  if (error) fail(error.value());
  temporary_.clear();
}

void OutputFile::fail(int error) const {
  const char* const fix = error == ENOSPC ? "make room, or choose a path on another disk"
                          : error == EISDIR ? "give the path of a file"
                                            : "choose a path in a folder that exists and may be written to";
  throw SnapshotError("OUTPUT_UNWRITABLE", {kNoOffset, path_ + " cannot be written", std::strerror(error), fix});
}

}  // namespace crucible::heap
