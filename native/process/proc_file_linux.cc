#include "proc_file_linux.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "../recording/failure.h"
#include "memory_source.h"

namespace crucible::process {

ProcFile::ProcFile(const char* path) noexcept
    : descriptor_(open(path, O_RDONLY | O_CLOEXEC)), error_(descriptor_ < 0 ? errno : 0) {}

ProcFile::~ProcFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string_view ProcFile::read_into(char* buffer, std::size_t size, std::uint64_t offset) const noexcept {
  ssize_t length;
  do {
    length = pread(descriptor_, buffer, size, static_cast<off_t>(offset));
  } while (length < 0 && errno == EINTR);
  return {buffer, length > 0 ? static_cast<std::size_t>(length) : 0};
}

void fail_unreadable(const std::string& path, int error) {
  const std::string why = std::system_category().message(error);
  if (error == ENOENT || error == ENOTDIR)
    throw Failure("PROC_UNREADABLE",
                  {path + " cannot be read", why + ": /proc is not mounted here, or a sandbox hides it",
                   "mount it (mount -t proc proc /proc), or start the container or sandbox with /proc"});
  if (error == EMFILE || error == ENFILE)
    throw Failure("PROC_UNREADABLE", {path + " cannot be read", why,
                                      "raise the limit on open files (ulimit -n), or close some"});
  throw Failure("PROC_UNREADABLE",
                {path + " cannot be read", why + ": /proc is mounted with hidepid, or a security module forbids it",
                 "remount it as root (mount -o remount,hidepid=0 /proc), or run as the process's owner or in the "
                 "group that hidepid exempts (gid=)"});
}

std::uint64_t take_number(std::string_view& text, int base) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [end, _] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

double number_after(std::string_view text, std::string_view key) noexcept {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return kAbsent;
  text.remove_prefix(at + key.size());
  return static_cast<double>(take_number(text));
}

}  // namespace crucible::process
