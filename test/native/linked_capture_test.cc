#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "../../native/process/linked_capture.h"
#include "../../native/process/sampler.h"
#include "../../native/process/tick_follower.h"
#include "../../native/recording/failure.h"
#include "check.h"
#include "recording_file.h"

namespace crucible::test {

using namespace process;
using namespace recording;

namespace {

constexpr std::array kChannels = {LinkChannel{"link_a", "count", "a"}, LinkChannel{"link_b", "count", "b"}};

/** A link that is let go of at the end, as a JavaScript object does it. */
class Link {
 public:
  explicit Link(const Sampler& sampler) : table_(LinkedCapture::create(sampler.writer(), sampler.ticks())) {}
  ~Link() { table_->release(table_->self); }
  const CaptureLink* operator->() const { return table_; }
  [[nodiscard]] void* self() const { return table_->self; }

 private:
  const CaptureLink* table_;
};

void count_tick(void* counter, std::int64_t, double) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

}  // namespace

TEST("a linked stream writes while the sampler does, and may outlive the recording") {
  const TemporaryFile file;
  auto writer = std::make_shared<RecordingWriter>(file.path(), "{}");
  Sampler sampler(writer, {.rate_hz = 2000, .detail_interval_ms = 0});
  const Link link(sampler);
  LinkStream* stream = link->open_stream(link.self());
  const char* why = nullptr;
  const auto group = link->define_group(stream, "linked", kChannels.data(), kChannels.size(), &why);
  check(group >= 0, "defined");
  const double values[] = {1, 2};
  for (int i = 0; i < 1000; i++) check(link->sample(stream, group, values, link->now_ns()), "written");
  check(link->rss_bytes(stream) > 0, "RSS");

  check_equal(link->define_group(stream, "again", kChannels.data(), kChannels.size(), &why), -1);
  check(std::string(why).find("link_a") != std::string::npos, why);

  sampler.stop();
  writer->close();
  // Into its last block it may still write; there is no further one, and nothing counts as lost.
  while (link->sample(stream, group, values, link->now_ns())) {
  }
  check(!link->event(stream, "late", "{}", 2, link->now_ns()), "no room any more");
  check_equal(writer->status().records_dropped, 0u);
  link->close_stream(stream);
}

TEST("subscribers hear of every tick until they leave, whichever thread they leave from") {
  const TemporaryFile file;
  auto writer = std::make_shared<RecordingWriter>(file.path(), "{}");
  Sampler sampler(writer, {.rate_hz = 5000, .detail_interval_ms = 0});
  const Link link(sampler);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; round++) {
        std::atomic<int> ticks{0};
        const auto subscription = link->subscribe(link.self(), count_tick, &ticks);
        while (ticks < 3) std::this_thread::yield();
        link->unsubscribe(link.self(), subscription);
        const int last = ticks;
        std::this_thread::yield();
        check_equal(ticks.load(), last);
      }
    });
  for (auto& thread : threads) thread.join();
  sampler.stop();
}

TEST("slots are written when they change, from shared memory, by the sampler's thread") {
  const TemporaryFile file;
  auto writer = std::make_shared<RecordingWriter>(file.path(), "{}");
  std::array<std::atomic<std::int32_t>, 2> slots{};
  Sampler sampler(writer, {.rate_hz = 2000, .detail_interval_ms = 0});
  const auto channel = [](const char* name) {
    return ChannelDefinition{name, "count", ChannelKind::integer, "a counter"};
  };
  sampler.slots().watch("counters", {channel("first"), channel("second")}, slots.data());
  for (int i = 0; i < 1000; i++) {
    slots[0].fetch_add(1);
    std::this_thread::yield();
  }
  const auto seen = sampler.statistics().samples;
  while (sampler.statistics().samples < seen + 3) std::this_thread::yield();
  sampler.stop();
  bool refused = false;
  try {
    sampler.slots().watch("late", {channel("third")}, slots.data());
  } catch (const Failure& failure) {
    refused = std::string(failure.code()) == "USAGE";
  }
  check(refused, "not after stop()");
  writer->close();
}

TEST("a follower has a recording of its own at a rate of its own, and passes its ticks on, until it leaves") {
  const TemporaryFile file;
  auto writer = std::make_shared<RecordingWriter>(file.path(), "{}");
  Sampler sampler(writer, {.rate_hz = 4000, .detail_interval_ms = 0});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      for (int round = 0; round < 10; round++) {
        const TemporaryFile own;
        auto own_writer = std::make_shared<RecordingWriter>(own.path(), "{}");
        std::array<std::atomic<std::int32_t>, 1> slots{};
        TickFollower follower(own_writer, sampler.ticks(), 1000);
        follower.slots().watch("counted", {{"counted", "count", ChannelKind::integer, "a counter"}}, slots.data());
        std::atomic<int> ticks{0};
        const auto subscription = follower.ticks()->subscribe(count_tick, &ticks);
        // All samples may have been taken before the subscription: ticks are waited for by themselves.
        while (follower.statistics().samples < 4 || ticks == 0) slots[0].fetch_add(1);
        follower.ticks()->unsubscribe(subscription);
        const auto samples = follower.stop().samples;
        std::this_thread::yield();
        check_equal(follower.statistics().samples, samples);
        own_writer->close();
      }
    });
  for (auto& thread : threads) thread.join();
  sampler.stop();
}

TEST("a follower takes no more ticks than its rate, and may outlive the sampler") {
  const TemporaryFile file;
  const TemporaryFile own;
  auto writer = std::make_shared<RecordingWriter>(file.path(), "{}");
  auto own_writer = std::make_shared<RecordingWriter>(own.path(), "{}");
  Sampler sampler(writer, {.rate_hz = 4000, .detail_interval_ms = 0});
  TickFollower follower(own_writer, sampler.ticks(), 400);
  while (follower.statistics().samples < 20) std::this_thread::yield();
  sampler.stop();
  const auto taken = follower.stop();
  const double periods = static_cast<double>(taken.elapsed_ns) * 400 / 1e9;
  check(static_cast<double>(taken.samples) <= periods + 2, "a sample for each period");
  own_writer->close();
}

}  // namespace crucible::test
