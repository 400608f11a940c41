#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "../../native/process/allocator.h"
#include "../../native/process/memory_source.h"
#include "../../native/process/sampler.h"
#include "../../native/recording/failure.h"
#include "check.h"
#include "recording_file.h"

namespace crucible::test {

using namespace process;

namespace {

constexpr std::size_t kMib = 1 << 20;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

/** Touches so much of the calling thread's stack. */
__attribute__((noinline)) void touch_stack(std::size_t bytes) {
  if (bytes < 64 * 1024) return;
  volatile char frame[32 * 1024];
  for (std::size_t i = 0; i < sizeof frame; i += 1024) frame[i] = 1;
  touch_stack(bytes - sizeof frame);
  frame[0] = 2;
}

/** A thread that touches its stack, waits to be measured, and ends. */
class TouchingThread {
 public:
  TouchingThread(const pthread_attr_t* attributes, std::size_t bytes, bool is_busy) : bytes_(bytes), is_busy_(is_busy) {
    check(pthread_create(&thread_, attributes, &TouchingThread::run, this) == 0, "a thread");
    while (!is_ready_) std::this_thread::yield();
  }
  ~TouchingThread() {
    is_ending_ = true;
    pthread_join(thread_, nullptr);
  }

 private:
  static void* run(void* given) {
    auto* self = static_cast<TouchingThread*>(given);
    touch_stack(self->bytes_);
    self->is_ready_ = true;
    while (!self->is_ending_)
      if (!self->is_busy_) usleep(100);
    return nullptr;
  }

  std::size_t bytes_;
  bool is_busy_;
  std::atomic<bool> is_ready_{false};
  std::atomic<bool> is_ending_{false};
  pthread_t thread_{};
};

double stack_bytes() {
  MemoryReader reader;
  const double bytes = reader.read().stack_bytes;
  check(!std::isnan(bytes), "stacks were found");
  return bytes;
}

}  // namespace

TEST("RSS follows what is touched") {
  RssReader reader;
  const double before = reader.bytes();
  char* memory = static_cast<char*>(mmap(nullptr, 64 * kMib, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memset(memory, 1, 64 * kMib);
  const double risen = reader.bytes() - before;
  munmap(memory, 64 * kMib);
  // Sanitizers touch several bytes of their own for each.
  check(risen > 60.0 * kMib && (kIsSanitized || risen < 70.0 * kMib), "64 MiB, got " + std::to_string(risen));
}

TEST("stack bytes hold what a waiting and what a busy thread have touched") {
  for (const bool is_busy : {false, true}) {
    const double before = stack_bytes();
    const TouchingThread thread(nullptr, 3 * kMib, is_busy);
    const double risen = stack_bytes() - before;
    check(risen > 2.5 * kMib && risen < 4.5 * kMib, "3 MiB, got " + std::to_string(risen));
  }
}

TEST("a stack inside a much larger mapping counts with what it can reach, not with its neighbours") {
  constexpr std::size_t kMapping = 128 * kMib;
  char* mapping = static_cast<char*>(mmap(nullptr, kMapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memset(mapping, 1, kMapping / 2);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, mapping + kMapping - 16 * kMib, 8 * kMib);
  const double before = stack_bytes();
  {
    const TouchingThread thread(&attributes, 2 * kMib, false);
    const double risen = stack_bytes() - before;
    check(risen > 1.5 * kMib && risen < 4.0 * kMib, "2 MiB, got " + std::to_string(risen));
  }
  pthread_attr_destroy(&attributes);
  munmap(mapping, kMapping);
}

TEST("parts of memory are known, and add up") {
  MemoryReader reader;
  const ProcessMemory memory = reader.read();
  check(std::abs(memory.anonymous_bytes + memory.file_bytes - memory.rss_bytes) < 4.0 * kMib, "anonymous and file");
  check(memory.thread_count >= 1, "threads");
  check(reader.pss_bytes() > 0, "PSS");
}

TEST("what malloc has handed out follows an allocation") {
  if (kIsSanitized) return;  // the sanitizers have an allocator of their own, which tells nothing
  const auto before = read_allocator();
  check(before.has_value(), "glibc tells");
  void* volatile memory = std::malloc(32 * kMib);  // volatile: it must not be optimised away
  const auto after = read_allocator();
  std::free(memory);
  check(after->in_use_bytes - before->in_use_bytes >= 32 * kMib, "32 MiB");
}

TEST("RSS of a process that does not exist is absent") {
  check(rss_of(getpid()).has_value(), "this one exists");
  check(!rss_of(0x3ffffff).has_value(), "that one does not");
}

TEST("samplers come and go, are asked while they run, and leave every sample they counted") {
  for (int round = 0; round < 10; round++) {
    const TemporaryFile file;
    auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
    std::uint64_t samples = 0;
    {
      Sampler sampler(writer, {.rate_hz = 5000, .detail_interval_ms = 1});
      const auto stream = writer->open_stream();
      while (sampler.statistics().samples < 20) check(stream->event("looking", "{}", recording::monotonic_now_ns()), "written");
      samples = round % 2 == 0 ? sampler.stop().samples : 0;
    }
    writer->close();
    const WalkedFile found = walk(file.path());
    if (samples > 0) check_equal(found.records_by_stream.at(1), samples);
    check(found.records_by_stream.at(1) >= 20, "samples");
  }
}

TEST("a sampler that sleeps long ends at once all the same") {
  const TemporaryFile file;
  auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
  Sampler sampler(writer, {.rate_hz = 0.001, .detail_interval_ms = 1e9});
  sampler.stop();  // a test that hangs for 1000 seconds has failed
}

TEST("rates that no system gives are refused") {
  const TemporaryFile file;
  auto writer = std::make_shared<recording::RecordingWriter>(file.path(), "{}");
  for (const double rate_hz : {0.0, -1.0, 10'001.0, std::nan("")}) {
    try {
      const Sampler sampler(writer, {.rate_hz = rate_hz, .detail_interval_ms = 0});
      check(false, "it was started");
    } catch (const Failure& failure) {
      check_equal(std::string(failure.code()), "USAGE");
    }
  }
}

}  // namespace crucible::test
