#pragma once

#include <cstddef>
#include <utility>

#include "heap/base/progress.h"

namespace crucible::heap {

/** A file descriptor that is closed when it is no longer needed, whatever happens. */
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  /** Gives it to somebody else to close. */
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

  /**
   * Reads what has arrived, at least a byte; zero at the end. Waits for it, and
   * throws INTERRUPTED while it waits when the work is cancelled.
   * Throws SNAPSHOT_UNREADABLE.
   */
  [[nodiscard]] std::size_t read(char* into, std::size_t size, const Progress& progress);

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

/** Programs that are started do not inherit it. Throws SNAPSHOT_UNREADABLE. */
[[nodiscard]] Pipe open_pipe();

}  // namespace crucible::heap
