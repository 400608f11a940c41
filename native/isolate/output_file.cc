#include "output_file.h"

#include <fcntl.h>
#include <uv.h>

#include <algorithm>
#include <cstddef>

namespace crucible::isolate {

namespace {

/** Runs one of libuv's file operations at once, in this thread. */
template <class Operation>
int now(const Operation& operation) {
  uv_fs_t request;
  const int result = operation(&request);
  uv_fs_req_cleanup(&request);
  return result;
}

constexpr int kOwnerOnly = 0600;

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path), partial_path_(path + ".partial") {
  descriptor_ = now([&](uv_fs_t* request) {
    return uv_fs_open(nullptr, request, partial_path_.c_str(), UV_FS_O_CREAT | UV_FS_O_TRUNC | UV_FS_O_WRONLY,
                      kOwnerOnly, nullptr);
  });
  note(descriptor_);
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  now([&](uv_fs_t* request) { return uv_fs_close(nullptr, request, descriptor_, nullptr); });
  if (is_finished_) return;
  now([&](uv_fs_t* request) { return uv_fs_unlink(nullptr, request, partial_path_.c_str(), nullptr); });
}

void OutputFile::write(const std::string& text) {
  constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  for (std::size_t written = 0; written < text.size() && error_ == 0;) {
    const auto piece = static_cast<unsigned>(std::min(kPieceBytes, text.size() - written));
    uv_buf_t buffer = uv_buf_init(const_cast<char*>(text.data()) + written, piece);
    const int result =
        now([&](uv_fs_t* request) { return uv_fs_write(nullptr, request, descriptor_, &buffer, 1, -1, nullptr); });
    if (result == UV_EINTR) continue;
    note(result == 0 ? UV_ENOSPC : result);
    if (result > 0) written += static_cast<std::size_t>(result);
  }
}

void OutputFile::finish() {
  if (error_ != 0) return;
  note(now([&](uv_fs_t* request) {
    return uv_fs_rename(nullptr, request, partial_path_.c_str(), path_.c_str(), nullptr);
  }));
  is_finished_ = error_ == 0;
}

std::string OutputFile::error_text() const { return error_ == 0 ? "" : uv_strerror(error_); }

}  // namespace crucible::isolate
