#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace crucible::recording {

/** SampleColumns of src/recording: the samples of a group of integers, in memory of the reader's. */
struct IntegerColumns {
  double* times_ms = nullptr;
  /** One a channel. */
  std::vector<double*> channels;
  /** What the next difference of each channel counts from. */
  double* previous = nullptr;
  std::size_t length = 0;
  std::size_t capacity = 0;
};

/** Where the columns of a group are; null for one that is not decoded here. */
class IntegerGroups {
 public:
  [[nodiscard]] virtual IntegerColumns* find(std::uint8_t group) = 0;

 protected:
  ~IntegerGroups() = default;
};

struct RunPlace {
  std::size_t at = 0;
  double elapsed_ns = 0;
  /** Of all records so far. */
  double latest_ns = 0;
};

inline constexpr int kRunEnded = -1;

/**
 * Decodes the samples of integers that follow each other, until the first
 * record of another kind or with a number of more than 28 bits: line by line
 * what src/recording/sample-run.ts does, which says more. Reads no byte outside
 * of the payload, whatever it holds.
 *
 * @param place moves on to where the run ended
 * @returns the group whose columns are full; kRunEnded
 */
[[nodiscard]] int decode_sample_run(std::span<const std::byte> payload, RunPlace& place, IntegerGroups& groups);

}  // namespace crucible::recording
