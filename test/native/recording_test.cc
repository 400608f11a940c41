#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <thread>
#include <vector>

#include "../../native/recording/failure.h"
#include "../../native/recording/json_text.h"
#include "../../native/recording/writer.h"
#include "check.h"
#include "recording_file.h"

namespace crucible::test {

using namespace recording;

namespace {

ChannelDefinition channel(const std::string& name, ChannelKind kind = ChannelKind::integer) {
  return {name, "bytes", kind, "for a test"};
}

std::uint32_t checksum_bit_by_bit(const std::string& text) {
  std::uint32_t crc = ~0u;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

std::uint32_t checksum(const std::string& text, std::uint32_t start = 0) {
  return Crc32c::of(reinterpret_cast<const std::byte*>(text.data()), text.size(), start);
}

}  // namespace

TEST("the checksum is CRC-32C, whole or in pieces") {
  check_equal(checksum("123456789"), 0xe3069283u);
  std::string text;
  for (int i = 0; i < 300; i++) {
    check_equal(checksum(text), checksum_bit_by_bit(text));
    const auto half = text.size() / 2;
    check_equal(checksum(text.substr(half), checksum(text.substr(0, half))), checksum(text));
    check_equal(Crc32c::from_tables(reinterpret_cast<const std::byte*>(text.data()), text.size()), checksum(text));
    text += static_cast<char>(i * 37);
  }
}

TEST("JSON text is escaped as JSON.stringify does it") {
  check_equal(json_text("a\"b\\c\n\t\x01 \xc3\xa4"), "\"a\\\"b\\\\c\\n\\t\\u0001 \xc3\xa4\"");
}

TEST("threads with streams of their own write whole records side by side, while others define groups and look") {
  const TemporaryFile file;
  constexpr std::uint64_t kSamples = 20'000;
  RecordingWriter writer(file.path(), "{}");
  std::atomic<bool> is_writing{true};
  std::thread watcher([&] {
    for (int i = 0; is_writing; i++) {
      check(writer.status().records_dropped == 0, "nothing dropped");
      writer.define_group("late " + std::to_string(i), {channel("late_" + std::to_string(i))});
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([&, t] {
      const auto group = writer.define_group("thread", {channel("a" + std::to_string(t)), channel("b" + std::to_string(t), ChannelKind::real)});
      const auto stream = writer.open_stream();
      stream->attach(*group);
      for (std::uint64_t i = 0; i < kSamples; i++) {
        const std::array<double, 2> values = {static_cast<double>(i), i % 3 == 0 ? std::nan("") : 0.5};
        check(stream->sample(*group, values, monotonic_now_ns()), "written");
        if (i % 1000 == 0) check(stream->event("mark", std::string(3000, 'x'), monotonic_now_ns()), "written");
      }
    });
  for (auto& thread : threads) thread.join();
  is_writing = false;
  watcher.join();
  writer.close();

  const WalkedFile found = walk(file.path());
  check(found.is_closed, "closed");
  check_equal(found.blocks, found.sealed_blocks);
  check_equal(found.records_by_kind.at(2) + found.records_by_kind.at(3), 4 * kSamples);
  check_equal(found.records_by_stream.size(), 5u);
}

TEST("a text that is longer than a block is continued over several") {
  const TemporaryFile file;
  RecordingWriter writer(file.path(), "{}");
  {
    const auto stream = writer.open_stream();
    check(stream->event("long", std::string(1'000'000, 'x'), monotonic_now_ns()), "written");
  }
  writer.close();
  const WalkedFile found = walk(file.path());
  check_equal(found.records_by_kind.at(4 | 0x80), 1u);
  check_equal(found.records_by_kind.at(4 | 0x40), 1u);
  check_equal(found.records_by_kind.at(4 | 0xc0), found.blocks - 2);
}

TEST("details of any length fit into the header") {
  const TemporaryFile file;
  RecordingWriter writer(file.path(), '"' + std::string(100'000, 'x') + '"');
  writer.close();
  check_equal(walk(file.path()).blocks, 0u);
}

TEST("where the file may not grow, samples are dropped and counted, and taken again once it may") {
  const TemporaryFile file;
  RecordingWriter writer(file.path(), "{}");
  const auto group = writer.define_group("some", {channel("some_bytes")});
  auto stream = writer.open_stream();
  stream->attach(*group);

  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t unlimited = limit.rlim_cur;
  limit.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &limit);
  const double value = 1;
  std::uint64_t written = 0;
  while (stream->sample(*group, {&value, 1}, monotonic_now_ns())) written++;
  check(!stream->sample(*group, {&value, 1}, monotonic_now_ns()), "not at once either");
  const RecordingStatus full = writer.status();
  check_equal(full.records_dropped, 2u);
  check_equal(full.failure, "File too large");

  limit.rlim_cur = unlimited;
  setrlimit(RLIMIT_FSIZE, &limit);
  std::uint64_t dropped = 2;
  while (!stream->sample(*group, {&value, 1}, monotonic_now_ns())) dropped++;
  written++;
  stream.reset();
  writer.close();
  const WalkedFile found = walk(file.path());
  check_equal(found.dropped, dropped);
  check_equal(found.records_by_kind.at(2), written);
}

TEST("a recording cannot be closed under a stream, and closes itself when it is forgotten") {
  const TemporaryFile file;
  {
    RecordingWriter writer(file.path(), "{}");
    const auto stream = writer.open_stream();
    try {
      writer.close();
      check(false, "it was closed");
    } catch (const Failure& failure) {
      check_equal(std::string(failure.code()), "USAGE");
    }
  }
  {
    const RecordingWriter forgotten(file.path(), "{}");
  }
  check(walk(file.path()).is_closed, "closed");
}

TEST("a recording that keeps to a size is reduced by one thread while others write, and drops nothing") {
  const TemporaryFile file;
  constexpr std::uint64_t kBytesMax = 4096 + 64 * kBlockBytes;
  RecordingWriter writer(file.path(), "{}", kBytesMax);
  std::atomic<bool> is_writing{true};
  std::thread reducing([&] {
    while (is_writing) {
      writer.make_room();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++)
    threads.emplace_back([&, t] {
      const auto group = writer.define_group("group " + std::to_string(t),
                                             {channel("value" + std::to_string(t)),
                                              channel("ratio" + std::to_string(t), ChannelKind::real)});
      const auto stream = writer.open_stream();
      stream->attach(*group);
      for (int i = 0; i < 150'000; i++) {
        const double values[] = {static_cast<double>(i), i % 7 == 0 ? std::nan("") : i * 0.5};
        check(stream->sample(*group, values, monotonic_now_ns()), "written");
      }
    });
  for (auto& thread : threads) thread.join();
  is_writing = false;
  reducing.join();
  const auto status = writer.status();
  check_equal(status.records_dropped, 0u);
  check(status.reductions > 0, "something was reduced");
  check(status.bytes_written <= kBytesMax, "the size was kept");
  writer.close();
}

}  // namespace crucible::test
