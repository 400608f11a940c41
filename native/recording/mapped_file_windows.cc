// The recording file on Windows. Written from the documentation; not yet run on Windows.
#include <windows.h>

#include <system_error>

#include "failure.h"
#include "mapped_file.h"

namespace crucible::recording {

namespace {

std::wstring wide(const std::string& text) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
  std::wstring made(static_cast<std::size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), made.data(), length);
  return made;
}

std::size_t allocation_granularity() noexcept {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwAllocationGranularity;
}

}  // namespace

void MappedRange::unmap() noexcept {
  if (mapping_ != nullptr) UnmapViewOfFile(mapping_);
  mapping_ = nullptr;
}

MappedFile::MappedFile(const std::string& path) {
  DeleteFileW(wide(path).c_str());
  const HANDLE handle = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE,
                                    FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, CREATE_NEW,
                                    FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE)
    throw Failure("RECORDING_UNWRITABLE",
                  {"the recording " + path + " cannot be created", text_of(static_cast<int>(GetLastError())),
                   "choose an existing folder that this user may write to"});
  handle_ = handle;
}

MappedFile::~MappedFile() { CloseHandle(handle_); }

SystemError MappedFile::reserve(std::uint64_t, std::uint64_t to) noexcept {
  LARGE_INTEGER end;
  end.QuadPart = static_cast<LONGLONG>(to);
  // NTFS allocates the clusters when the end of the file moves.
  if (SetFilePointerEx(handle_, end, nullptr, FILE_BEGIN) == 0) return static_cast<SystemError>(GetLastError());
  return SetEndOfFile(handle_) != 0 ? 0 : static_cast<SystemError>(GetLastError());
}

SystemError MappedFile::map(std::uint64_t offset, std::size_t bytes, MappedRange& range) noexcept {
  const std::size_t skip = static_cast<std::size_t>(offset % allocation_granularity());
  const HANDLE mapping = CreateFileMappingW(handle_, nullptr, PAGE_READWRITE, 0, 0, nullptr);
  if (mapping == nullptr) return static_cast<SystemError>(GetLastError());
  const std::uint64_t begin = offset - skip;
  void* view = MapViewOfFile(mapping, FILE_MAP_WRITE, static_cast<DWORD>(begin >> 32),
                             static_cast<DWORD>(begin), bytes + skip);
  const DWORD error = GetLastError();
  CloseHandle(mapping);  // the view keeps it alive
  if (view == nullptr) return static_cast<SystemError>(error);
  range = MappedRange(static_cast<std::byte*>(view), bytes + skip, skip);
  return 0;
}

void MappedFile::truncate(std::uint64_t bytes) noexcept {
  LARGE_INTEGER end;
  end.QuadPart = static_cast<LONGLONG>(bytes);
  if (SetFilePointerEx(handle_, end, nullptr, FILE_BEGIN) != 0) SetEndOfFile(handle_);
}

std::string text_of(SystemError error) { return std::system_category().message(error); }

std::int64_t monotonic_now_ns() noexcept {
  LARGE_INTEGER frequency;
  LARGE_INTEGER ticks;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&ticks);
  const std::int64_t seconds = ticks.QuadPart / frequency.QuadPart;
  const std::int64_t rest = ticks.QuadPart % frequency.QuadPart;
  return seconds * 1'000'000'000 + rest * 1'000'000'000 / frequency.QuadPart;
}

std::int64_t epoch_now_ns() noexcept {
  FILETIME time;
  GetSystemTimePreciseAsFileTime(&time);
  const std::int64_t since_1601 =
      (static_cast<std::int64_t>(time.dwHighDateTime) << 32) | static_cast<std::int64_t>(time.dwLowDateTime);
  return (since_1601 - 116'444'736'000'000'000) * 100;
}

std::uint32_t current_pid() noexcept { return GetCurrentProcessId(); }

}  // namespace crucible::recording
