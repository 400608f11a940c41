#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace crucible::process {

/** A file below /proc that is opened once and read from its beginning again and again. */
class ProcFile {
 public:
  /** Stays closed, with error(), when it cannot be opened. */
  explicit ProcFile(const char* path) noexcept;
  ~ProcFile();
  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;

  /** What fits into the buffer; empty when it cannot be read. */
  template <std::size_t Size>
  [[nodiscard]] std::string_view read(char (&buffer)[Size]) const noexcept {
    return read_into(buffer, Size, 0);
  }
  [[nodiscard]] std::string_view read_into(char* buffer, std::size_t size, std::uint64_t offset) const noexcept;

  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  int descriptor_;
  int error_;
};

/** @throws Failure PROC_UNREADABLE with the remedy for this error number */
[[noreturn]] void fail_unreadable(const std::string& path, int error);

/** The number at the beginning of `text`, which is moved behind it. Leading blanks are skipped. */
[[nodiscard]] std::uint64_t take_number(std::string_view& text, int base = 10) noexcept;

/** The number behind `key` in a file like /proc/self/status; NaN when the key is not there. */
[[nodiscard]] double number_after(std::string_view text, std::string_view key) noexcept;

}  // namespace crucible::process
