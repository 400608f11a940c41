#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "memory_map_linux.h"

namespace crucible::process {

/**
 * Finds the stacks of all threads of this process but the main thread's, which
 * the kernel names [stack] in the memory map.
 *
 * Two things tell where a thread's stack is. The C library keeps a thread's
 * descriptor at the top of its stack, and the kernel knows its address from the
 * robust-futex list inside it; glibc registers that list for every thread, so
 * this works for running threads too. Where it is not registered (musl), the
 * stack pointer in /proc/self/task/<tid>/syscall serves, which the kernel tells
 * only of threads that wait: for one that runs, the address found earlier is
 * kept.
 */
class ThreadStacks {
 public:
  ThreadStacks();
  ~ThreadStacks();
  ThreadStacks(const ThreadStacks&) = delete;
  ThreadStacks& operator=(const ThreadStacks&) = delete;

  /**
   * Looks for the threads; afterwards addresses() are ready for the memory map.
   * @returns false when a thread's stack could not be found, so that the sum would be too small
   */
  [[nodiscard]] bool find();

  /** One address inside each stack, sorted. */
  [[nodiscard]] const std::vector<Address>& addresses() const noexcept { return addresses_; }

  /** Filled by MemoryMap::read() with the mappings that hold addresses(). */
  [[nodiscard]] std::vector<AddressRange>& mappings() noexcept { return mappings_; }

  /**
   * Resident bytes of the stacks. A mapping that is larger than any stack may
   * be has grown together with its neighbours; of it only the stretch counts
   * that the stack can reach.
   */
  [[nodiscard]] std::uint64_t resident_bytes() const noexcept;

 private:
  struct Thread {
    pid_t tid;
    Address address;
    bool is_descriptor;
    bool is_alive;
  };

  [[nodiscard]] bool list_threads();
  [[nodiscard]] bool locate(Thread& thread) const noexcept;
  [[nodiscard]] AddressRange reach_of(const Thread& thread, const AddressRange& mapping) const noexcept;

  int task_folder_;
  pid_t pid_;
  std::uint64_t stack_bytes_max_;
  std::vector<Thread> threads_;  // sorted by tid between two calls of find()
  std::vector<Address> addresses_;
  std::vector<AddressRange> mappings_;
};

}  // namespace crucible::process
