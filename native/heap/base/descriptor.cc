#include "heap/base/descriptor.h"

#include <cerrno>
#include <cstring>

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#else
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#endif

#include "heap/base/snapshot_error.h"

namespace crucible::heap {

namespace {

/** How long a read waits before it looks whether it is still wanted. */
constexpr int kWaitMs = 20;

[[noreturn]] void throw_unreadable(const char* what) {
  throw SnapshotError("SNAPSHOT_UNREADABLE", {kNoOffset, what, std::strerror(errno),
                                              "check that the descriptor is open for reading"});
}

}  // namespace

#if defined(_WIN32)

Descriptor::~Descriptor() {
  if (number_ >= 0) _close(number_);
}

std::size_t Descriptor::read(char* into, std::size_t size, const Progress& progress) {
  const auto handle = reinterpret_cast<HANDLE>(_get_osfhandle(number_));
  for (DWORD there = 0; GetFileType(handle) == FILE_TYPE_PIPE; Sleep(kWaitMs)) {
    progress.check();
    if (!PeekNamedPipe(handle, nullptr, 0, nullptr, &there, nullptr) || there != 0) break;
  }
  const int got = _read(number_, into, static_cast<unsigned>(size));
  if (got < 0 && errno != EPIPE) throw_unreadable("the snapshot cannot be read from its descriptor");
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

Pipe open_pipe() {
  int ends[2];
  if (_pipe(ends, 1 << 16, _O_BINARY | _O_NOINHERIT) != 0) throw_unreadable("a pipe cannot be opened");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

#else

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

std::size_t Descriptor::read(char* into, std::size_t size, const Progress& progress) {
  for (;;) {
    progress.check();
    struct pollfd waiting {number_, POLLIN, 0};
    const int ready = poll(&waiting, 1, kWaitMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ready < 0 ? -1 : ::read(number_, into, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) throw_unreadable("the snapshot cannot be read from its descriptor");
  }
}

Pipe open_pipe() {
  int ends[2];
#if defined(__linux__)
  const bool opened = pipe2(ends, O_CLOEXEC) == 0;
#else
  const bool opened = pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
#endif
  if (!opened) throw_unreadable("a pipe cannot be opened");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

#endif

}  // namespace crucible::heap
