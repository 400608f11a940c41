#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crucible::heap {

/**
 * A file that appears complete or not at all, readable by its owner alone: it
 * is written beside its place and renamed when it is done. What exists and is
 * no plain file (a device, a pipe) is written to as it stands.
 * Everything throws OUTPUT_UNWRITABLE.
 */
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /** Leaves nothing behind unless commit() was reached. */
  ~OutputFile();

  void write(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kBufferBytes) flush();
  }
  void commit();

 private:
  static constexpr std::size_t kBufferBytes = 256 * 1024;

  void flush();
  [[noreturn]] void fail(int error) const;

  /** As it was given; and where that leads to. */
  std::string path_;
  std::string target_;
  /** Empty if the target itself is written to. */
  std::string temporary_;
  int descriptor_ = -1;
  std::string buffer_;
};

}  // namespace crucible::heap
