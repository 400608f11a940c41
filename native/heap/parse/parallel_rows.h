#pragma once

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "heap/base/crew.h"
#include "heap/base/progress.h"
#include "heap/base/byte_source.h"
#include "heap/parse/digits.h"
#include "heap/parse/number_reader.h"

namespace crucible::heap {

/**
 * Reads a whole section of rows from a file with every thread there is.
 *
 * Each thread takes the next block of the file, counts the numbers that begin
 * in it (many times faster than reading them), waits for the count of all
 * blocks before it, and then knows which rows its numbers belong to. A block
 * is read from disk once and is small enough to stay in the cache in between.
 *
 * Only the layouts that V8 writes are taken. Anything else, and any error,
 * makes the whole attempt fail without a word: the sequential reader then
 * reads the section again and reports the first error at its exact place.
 */
template <class Rows>
class ParallelRows {
 public:
  struct Result {
    typename Rows::Part part;
    std::uint64_t number_count = 0;
    /** Offset after the closing bracket. */
    std::uint64_t end_offset = 0;
  };

  ParallelRows(const ByteSource& file, std::uint64_t offset, Rows& rows, const Crew& crew, Progress& progress)
      : file_(file), offset_(offset), rows_(rows), crew_(crew), progress_(progress) {}

  std::optional<Result> read() {
    const std::uint64_t numbers = rows_.declared() * rows_.width();
    // A number takes two bytes at least: a header may not claim more than the file can hold.
    if (numbers == 0 || numbers > (file_.size() - offset_) / 2 + 1) return std::nullopt;
    rows_.make_room(rows_.declared());
    number_limit_ = numbers;
    const std::uint64_t block_count = (file_.size() - offset_ + kBlock - 1) / kBlock;
    starts_.assign(block_count, kNoOffset);
    ends_.assign(block_count, kNoOffset);
    std::vector<typename Rows::Part> parts(crew_.threads());
    crew_.each([&](unsigned worker) { work(parts[worker]); });
    if (failed_ || end_offset_ == kNoOffset || !seams_fit()) return std::nullopt;
    Result result;
    for (auto& part : parts) result.part.merge(std::move(part));
    result.number_count = counted_;
    result.end_offset = end_offset_;
    return result;
  }

 private:
  static constexpr std::uint64_t kBlock = 1024 * 1024;
  /** A number that begins at the end of a block must end within this. */
  static constexpr std::size_t kOverlap = 64;

  struct Block {
    std::uint64_t index = 0;
    const char* first = nullptr;
    const char* last = nullptr;
    /** Readable beyond `last`. */
    const char* limit = nullptr;
    bool is_final = false;
  };

  void work(typename Rows::Part& part) {
    const auto buffer = std::make_unique<char[]>(kBlock + kOverlap + 1);
    const auto values = std::make_unique<std::uint64_t[]>(NumberReader::kBatch);
    try {
      for (;;) {
        const std::uint64_t index = next_.fetch_add(1);
        if (index >= starts_.size() || stopped_) return;
        Block block = load(index, buffer.get());
        const std::size_t count = count_numbers(block.first, block.last);
        const std::optional<std::uint64_t> before = await_turn(block, count);
        if (!before) return;
        if (*before + count > number_limit_ || !parse(block, *before, count, values.get(), part)) return fail();
        progress_.at(offset_ + index * kBlock, file_.size());
      }
    } catch (const SnapshotError& error) {
      fail();
      if (std::string_view(error.code()) == "INTERRUPTED") throw;
    } catch (...) {
      fail();
      throw;
    }
  }

  Block load(std::uint64_t index, char* buffer) const {
    const std::uint64_t from = offset_ + index * kBlock;
    // One byte before the block tells whether its first digit begins a number.
    const std::size_t got = file_.read_at(from - 1, buffer, kBlock + kOverlap + 1);
    Block block{index, buffer + 1, buffer + 1, buffer + got, false};
    if (got > 1) block.last = buffer + (got < kBlock + 1 ? got : kBlock + 1);
    const void* bracket = std::memchr(block.first, ']', static_cast<std::size_t>(block.last - block.first));
    if (bracket != nullptr) {
      block.last = static_cast<const char*>(bracket);
      block.is_final = true;
    }
    return block;
  }

  /** Numbers in all blocks before this one; nothing if the section ended in one of them. */
  std::optional<std::uint64_t> await_turn(const Block& block, std::size_t count) {
    std::unique_lock lock(mutex_);
    turn_changed_.wait(lock, [&] { return turn_ == block.index || stopped_; });
    if (stopped_) return std::nullopt;
    const std::uint64_t before = counted_;
    counted_ += count;
    ++turn_;
    if (block.is_final) {
      end_offset_ = offset_ + block.index * kBlock + static_cast<std::uint64_t>(block.last - block.first) + 1;
      stopped_ = true;
    }
    turn_changed_.notify_all();
    return before;
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = stopped_ = true;
    turn_changed_.notify_all();
  }

  /** False if the block holds anything but `number,` and `number\n,` or another count than was counted. */
  bool parse(const Block& block, std::uint64_t ordinal, std::size_t count, std::uint64_t* values,
             typename Rows::Part& part) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::uint64_t block_offset = offset_ + block.index * kBlock;
    const auto offset_of = [&](const char* at) { return block_offset + static_cast<std::uint64_t>(at - block.first); };
    const char* p = block.first;
    if (digit(p[-1]))
      while (p < block.last && digit(*p)) ++p;
    while (p < block.last && !digit(*p)) ++p;
    starts_[block.index] = p == block.last ? kNoOffset : offset_of(p);
    if (count == 0) return p == block.last;
    std::size_t done = 0;
    while (done < count) {
      const BatchPlace place{p, offset_of(p), kNoOffset};
      std::size_t batch = 0;
      while (batch < NumberReader::kBatch && done + batch < count) {
        // The last bytes of a file are too few to read eight at a time: the sequential reader takes them.
        if (block.limit - p < kDigitsLookahead + 2) return false;
        const char* after = read_digits(p, values[batch]);
        if (after == nullptr) return false;
        ++batch;
        if (*after == ']' || (*after == '\n' && after[1] == ']')) {
          p = after;
          break;
        }
        if (*after == '\n') ++after;
        if (*after != ',') return false;
        p = after + 1;
      }
      rows_.take(part, ordinal + done, values, batch, place);
      done += batch;
      if (*p == ']' || *p == '\n') break;
    }
    ends_[block.index] = *p == ']' || *p == '\n' ? end_mark() : offset_of(p);
    return done == count;
  }

  static constexpr std::uint64_t end_mark() { return kNoOffset - 1; }

  /** Each block must end where the next one with a number in it begins. */
  [[nodiscard]] bool seams_fit() const {
    std::uint64_t expected = kNoOffset;
    for (std::size_t block = 0; block < starts_.size(); ++block) {
      if (starts_[block] == kNoOffset) continue;
      if (expected != kNoOffset && starts_[block] != expected) return false;
      if (expected == kNoOffset && starts_[block] != offset_) return false;
      expected = ends_[block];
    }
    return expected == end_mark();
  }

  const ByteSource& file_;
  std::uint64_t offset_;
  Rows& rows_;
  const Crew& crew_;
  Progress& progress_;
  std::uint64_t number_limit_ = 0;
  std::vector<std::uint64_t> starts_, ends_;
  std::atomic<std::uint64_t> next_{0};
  std::mutex mutex_;
  std::condition_variable turn_changed_;
  std::uint64_t turn_ = 0;
  std::uint64_t counted_ = 0;
  std::uint64_t end_offset_ = kNoOffset;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> failed_{false};
};

}  // namespace crucible::heap
