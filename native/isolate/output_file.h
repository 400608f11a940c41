#pragma once

#include <string>

namespace crucible::isolate {

/** A file that appears under its name, mode 0600, only when it is whole. Through libuv, on every system. */
class OutputFile {
 public:
  /** Begins `path`.partial; look at error() afterwards. */
  explicit OutputFile(const std::string& path);
  /** Removes what was not finished. */
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  void write(const std::string& text);
  /** The file gets its name, unless there was an error. */
  void finish();

  /** 0, or libuv's number of what went wrong first. */
  [[nodiscard]] int error() const noexcept { return error_; }
  [[nodiscard]] std::string error_text() const;

 private:
  void note(int result) noexcept { if (result < 0 && error_ == 0) error_ = result; }

  std::string path_;
  std::string partial_path_;
  int descriptor_ = -1;
  int error_ = 0;
  bool is_finished_ = false;
};

}  // namespace crucible::isolate
