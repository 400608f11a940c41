#include "heap/base/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#if !defined(_WIN32)
#include <sys/stat.h>
#include <unistd.h>
#else
#include <io.h>
#include <mutex>
#endif

#include "heap/base/snapshot_error.h"

namespace crucible::heap {

namespace {

[[noreturn]] void throw_unreadable(const std::string& what) {
  throw SnapshotError("SNAPSHOT_UNREADABLE",
                      {kNoOffset, what, std::strerror(errno), "check the path and the permissions"});
}

#if !defined(_WIN32)

std::size_t read_file_at(std::FILE* file, std::uint64_t offset, char* into, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fileno(file), into + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_unreadable("the snapshot could not be read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

#else

std::size_t read_file_at(std::FILE* file, std::uint64_t offset, char* into, std::size_t size) {
  static std::mutex one_position;
  const std::lock_guard lock(one_position);
  if (_fseeki64(file, static_cast<long long>(offset), SEEK_SET) != 0) throw_unreadable("the snapshot could not be read");
  return std::fread(into, 1, size, file);
}

#endif

}  // namespace

FileBytes::FileBytes(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb")) {
  if (file_ == nullptr) throw_unreadable(path + " cannot be opened");
#if !defined(_WIN32)
  struct stat facts {};
  const bool known = fstat(fileno(file_), &facts) == 0;
  if (!known || !S_ISREG(facts.st_mode)) {
    if (known) errno = S_ISDIR(facts.st_mode) ? EISDIR : ESPIPE;
    std::fclose(file_);
    file_ = nullptr;
    throw_unreadable(path + " is not a plain file");
  }
  size_ = static_cast<std::uint64_t>(facts.st_size);
#else
  _fseeki64(file_, 0, SEEK_END);
  size_ = static_cast<std::uint64_t>(_ftelli64(file_));
#endif
}

FileBytes::~FileBytes() {
  if (file_ != nullptr) std::fclose(file_);
}

std::size_t FileBytes::read_at(std::uint64_t offset, char* into, std::size_t size) const {
  return read_file_at(file_, offset, into, size);
}

SpooledBytes::~SpooledBytes() {
  if (file_ != nullptr) std::fclose(file_);
}

void SpooledBytes::append(const char* bytes, std::size_t size) {
  if (file_ == nullptr && memory_.size() + size > memory_bytes_max_) {
    file_ = std::tmpfile();
    // Without a place for temporary files, memory is the only spool left.
    if (file_ == nullptr) {
      memory_bytes_max_ = ~std::size_t{0};
    } else {
      if (std::fwrite(memory_.data(), 1, memory_.size(), file_) != memory_.size())
        throw_unreadable("the strings could not be kept in a temporary file");
      memory_.clear();
    }
  }
  if (file_ != nullptr) {
    if (std::fwrite(bytes, 1, size, file_) != size)
      throw_unreadable("the strings could not be kept in a temporary file");
  } else {
    const std::size_t at = memory_.size();
    memory_.grow_to(at + size);
    std::memcpy(memory_.data() + at, bytes, size);
  }
  size_ += size;
}

std::size_t SpooledBytes::read_at(std::uint64_t offset, char* into, std::size_t size) const {
  if (offset >= size_) return 0;
  if (file_ != nullptr) {
    std::fflush(file_);
    return read_file_at(file_, offset, into, size);
  }
  const std::size_t count = std::min<std::uint64_t>(size, size_ - offset);
  std::memcpy(into, memory_.data() + offset, count);
  return count;
}

}  // namespace crucible::heap
