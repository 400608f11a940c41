#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "../../native/process/counter_scanner.h"
#include "../../native/process/sampler.h"
#include "../../native/recording/failure.h"
#include "check.h"
#include "recording_file.h"

namespace crucible::test {

using namespace process;

namespace {

constexpr std::int32_t kSlots = 64;

/** The memory that JavaScript threads write to, written by threads of C++. */
class Registry {
 public:
  Registry() : words_((sizeof(CounterHeader) + kSlots * sizeof(CounterSlot)) / sizeof(std::uint64_t)) {
    header().magic = kCounterMagic;
    header().version = kCounterVersion;
    header().slot_count = kSlots;
  }

  [[nodiscard]] CounterMemory memory() { return CounterMemory(data(), bytes()); }
  [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(words_.data()); }
  [[nodiscard]] std::size_t bytes() const { return words_.size() * sizeof(std::uint64_t); }
  [[nodiscard]] CounterHeader& header() { return *reinterpret_cast<CounterHeader*>(data()); }

  /** In the order in which registry.ts does it. */
  CounterSlot& claim(std::int32_t kind, const std::string& name) {
    const auto index = header().slots_used.fetch_add(1);
    auto& slot = reinterpret_cast<CounterSlot*>(data() + sizeof(CounterHeader))[index];
    slot.state.store(1);
    slot.kind = kind;
    slot.name_bytes = static_cast<std::int32_t>(name.size());
    std::memcpy(slot.name_text, name.data(), name.size());
    slot.state.store(kSlotReady);
    return slot;
  }

 private:
  std::vector<std::uint64_t> words_;
};

/** As the one writer of a slot does it: no atomic addition. */
void add(CounterSlot& slot, std::size_t figure, double difference) {
  auto& value = slot.figures[figure];
  value.store(value.load(std::memory_order_relaxed) + difference, std::memory_order_relaxed);
}

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST("counters are scanned while many threads count, and while new counters come") {
  const TemporaryFile file;
  Registry registry;
  auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
  {
    Sampler sampler(writer, {.rate_hz = 5000, .detail_interval_ms = 0, .counters = registry.memory()});
    std::vector<std::thread> threads;
    std::atomic<int> rounds{0};
    for (int t = 0; t < 3; t++)
      threads.emplace_back([&, t] {
        for (int n = 0; n < 8; n++) {
          auto& slot = registry.claim(2, n % 2 == 0 ? "shared" : "own " + std::to_string(t) + "/" + std::to_string(n));
          for (int i = 0; i < 20'000; i++) {
            add(slot, 0, i % 2 == 0 ? 1 : -1);
            add(slot, 3, 1);
          }
          rounds++;
          while (sampler.statistics().samples < static_cast<std::uint64_t>(20 * rounds)) std::this_thread::yield();
        }
      });
    for (auto& thread : threads) thread.join();
  }
  writer->close();
  const WalkedFile found = walk(file.path());
  // Groups: RSS, the shared counter, and four of each thread's own.
  check_equal(found.records_by_kind.at(1), 1u + 1u + 12u);
  check(found.records_by_stream.at(2) >= 2u * 13u, "each was written when it came and at the end");
}

TEST("what does not change is written once, and at the end") {
  const TemporaryFile file;
  Registry registry;
  auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
  auto& slot = registry.claim(1, "still");
  {
    CounterScanner scanner(writer, registry.memory(), 0);
    const auto start_ns = recording::monotonic_now_ns();
    for (int i = 0; i < 100; i++) scanner.scan(start_ns + i);
    add(slot, 0, 5);
    for (int i = 100; i < 200; i++) scanner.scan(start_ns + i);
    scanner.finish(start_ns + 200);
  }
  writer->close();
  // First, last before the change, first after it, end.
  check_equal(walk(file.path()).records_by_stream.at(1), 4u);
}

TEST("a slot that is still being filled in is taken up when it is ready, one of an unknown kind never") {
  const TemporaryFile file;
  Registry registry;
  auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
  registry.claim(99, "from the future");
  auto& slot = registry.claim(1, "slow");
  slot.state.store(1);
  {
    CounterScanner scanner(writer, registry.memory(), 0);
    scanner.scan(recording::monotonic_now_ns());
    check(contents(file.path()).find("counter.slow") == std::string::npos, "not yet");
    slot.state.store(kSlotReady);
    scanner.scan(recording::monotonic_now_ns());
  }
  writer->close();
  check(contents(file.path()).find("counter.slow") != std::string::npos, "now");
  check(contents(file.path()).find("from the future") == std::string::npos, "never");
}

TEST("memory of another kind or version is refused, and nonsense in it does no harm") {
  Registry registry;
  const auto refuses = [](std::byte* data, std::size_t bytes) {
    try {
      const CounterMemory memory(data, bytes);
      return false;
    } catch (const Failure& failure) {
      return std::string(failure.code()) == "USAGE";
    }
  };
  check(refuses(registry.data(), 10), "too short");
  check(refuses(registry.data(), registry.bytes() - 1), "shorter than it says");
  check(refuses(registry.data() + 4, registry.bytes() - 4), "not aligned");
  registry.header().version = 2;
  check(refuses(registry.data(), registry.bytes()), "another version");
  registry.header().version = kCounterVersion;

  const TemporaryFile file;
  auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
  registry.claim(1, "x").name_bytes = 1'000'000;
  registry.claim(1, "y").name_bytes = -1;
  registry.header().slots_used.store(1'000'000);
  CounterScanner(writer, registry.memory(), 0).scan(recording::monotonic_now_ns());
  registry.header().slots_used.store(-5);
  CounterScanner(writer, registry.memory(), 0).scan(recording::monotonic_now_ns());
}

}  // namespace crucible::test
