#include "../../native/recording/sample_run.h"

#include <array>
#include <cstring>
#include <memory>
#include <random>

#include "check.h"

namespace crucible::test {

using namespace recording;

namespace {

/** Columns for a group of so many channels, each exactly as long as said, so that a sanitizer sees what lies beside. */
class Columns {
 public:
  Columns(std::size_t channels, std::size_t capacity) : previous_(std::make_unique<double[]>(channels)) {
    for (std::size_t i = 0; i <= channels; i++) arrays_.push_back(std::make_unique<double[]>(capacity));
    given.times_ms = arrays_[0].get();
    for (std::size_t i = 1; i <= channels; i++) given.channels.push_back(arrays_[i].get());
    given.previous = previous_.get();
    given.capacity = capacity;
  }

  IntegerColumns given;

 private:
  std::unique_ptr<double[]> previous_;
  std::vector<std::unique_ptr<double[]>> arrays_;
};

/** Groups 0, 1 and 2, of 1, 3 and no channels. */
struct Groups final : IntegerGroups {
  explicit Groups(std::size_t capacity) : columns{Columns(1, capacity), Columns(3, capacity), Columns(0, capacity)} {}

  IntegerColumns* find(std::uint8_t group) override {
    return group < columns.size() ? &columns[group].given : nullptr;
  }

  std::array<Columns, 3> columns;
};

/** In memory of exactly its length. */
int decode(const std::vector<std::uint8_t>& bytes, RunPlace& place, Groups& groups) {
  const auto payload = std::make_unique<std::byte[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(payload.get(), bytes.data(), bytes.size());
  return decode_sample_run({payload.get(), bytes.size()}, place, groups);
}

}  // namespace

TEST("a run of samples is decoded until the first record of another kind") {
  Groups groups(8);
  RunPlace place{0, 1e6, 0};
  // Group 0: 1 ms later, 5; then 1 ns earlier, 5 - 1. An event.
  const std::vector<std::uint8_t> payload = {6, 0, 0, 2, 0, 0x80, 0x89, 0x7a, 10, 4, 0, 0, 2, 0, 1, 1, 3, 0, 0, 4, 0, 0};
  check_equal(decode(payload, place, groups), kRunEnded);
  const IntegerColumns& columns = groups.columns[0].given;
  check_equal(columns.length, 2u);
  check_equal(columns.times_ms[0], 2.0);
  check_equal(columns.times_ms[1], 1'999'999 / 1e6);
  check_equal(columns.channels[0][0], 5.0);
  check_equal(columns.channels[0][1], 4.0);
  check_equal(place.at, 16u);
  check_equal(place.latest_ns, 2e6);
}

TEST("columns that are full are named, and decoding goes on once they have grown") {
  Groups groups(1);
  RunPlace place;
  const std::vector<std::uint8_t> payload = {4, 0, 0, 2, 0, 2, 2, 4, 0, 0, 2, 0, 2, 2};
  check_equal(decode(payload, place, groups), 0);
  check_equal(place.at, 7u);
  groups.columns[0] = Columns(1, 4);
  check_equal(decode(payload, place, groups), kRunEnded);
  check_equal(place.at, payload.size());
}

TEST("whatever a payload holds, no byte outside of it is read and no column is overrun") {
  std::mt19937 random(1);
  std::size_t samples = 0;
  for (int round = 0; round < 3000; round++) {
    Groups groups(random() % 5);
    std::vector<std::uint8_t> payload;
    while (payload.size() < random() % 200) {
      const std::uint8_t length = random() % 9;
      payload.insert(payload.end(), {length, 0, 0, 2, static_cast<std::uint8_t>(random() % 4)});
      for (int i = 2; i < length; i++) payload.push_back(random() % (random() % 4 == 0 ? 256 : 128));
    }
    for (std::size_t at = 0; at <= payload.size(); at++) {
      RunPlace place{at, 0, 0};
      (void)decode(payload, place, groups);
      check(place.at >= at && place.at <= payload.size(), "the run ends inside the payload");
    }
    for (const Columns& columns : groups.columns) {
      check(columns.given.length <= columns.given.capacity, "no more samples than there is room for");
      samples += columns.given.length;
    }
  }
  check(samples > 1000, "samples were decoded");
}

}  // namespace crucible::test
