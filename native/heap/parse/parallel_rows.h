#pragma once

#include <algorithm>
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
#include "heap/parse/number_block.h"
#include "heap/parse/number_reader.h"

namespace crucible::heap {

/**
 * Reads a whole section of rows from a file with every thread there is.
 *
 * Each thread takes the next block of the file, finds the numbers that end in
 * it (many times faster than reading them), waits for the count of all
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
  /** What a thread takes at a time: few enough bytes to stay in the cache from the first look to the last. */
  static constexpr std::uint64_t kBlock = 256 * 1024;

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

  /** Numbers that are read before they are put into columns: few enough for the fastest cache. */
  static constexpr std::size_t kBatch = 1024;

  struct Block {
    std::uint64_t index = 0;
    const char* first = nullptr;
    /** Behind the bracket that ends the section, if it is in this block. */
    const char* last = nullptr;
    bool is_final = false;
  };

  /** What one thread works with. */
  struct Desk {
    NumberBlock numbers{kBlock};
    std::unique_ptr<char[]> text = std::make_unique<char[]>(kBlock + 2 * NumberBlock::kMargin);
    std::unique_ptr<std::uint32_t[]> ends = std::make_unique<std::uint32_t[]>(kBatch + 1);
    std::unique_ptr<std::uint64_t[]> values = std::make_unique<std::uint64_t[]>(kBatch);
    typename Rows::Part part;
  };

  void work(typename Rows::Part& part) {
    Desk desk;
    try {
      for (;;) {
        const std::uint64_t index = next_.fetch_add(1);
        if (index >= starts_.size() || stopped_) break;
        const Block block = load(index, desk.text.get());
        const std::size_t count = desk.numbers.find_ends(block.first, static_cast<std::size_t>(block.last - block.first));
        const std::optional<std::uint64_t> before = await_turn(block, count);
        if (!before) break;
        if (*before + count > number_limit_ || !parse(block, *before, count, desk)) return fail();
        progress_.at(offset_ + index * kBlock, file_.size());
      }
    } catch (const SnapshotError& error) {
      fail();
      if (std::string_view(error.code()) == "INTERRUPTED") throw;
    } catch (...) {
      fail();
      throw;
    }
    part = std::move(desk.part);
  }

  Block load(std::uint64_t index, char* text) const {
    constexpr std::size_t kMargin = NumberBlock::kMargin;
    const std::uint64_t from = offset_ + index * kBlock;
    const std::size_t margin = from < kMargin ? static_cast<std::size_t>(from) : kMargin;
    const std::size_t got = file_.read_at(from - margin, text + kMargin - margin, margin + kBlock + kMargin);
    Block block{index, text + kMargin, text + kMargin, false};
    if (got > margin) block.last += std::min<std::size_t>(got - margin, kBlock);
    // Behind the end of the file there is nothing that looks like a number.
    if (got < margin + kBlock + kMargin) std::memset(text + kMargin - margin + got, 0, margin + kBlock + kMargin - got);
    const void* bracket = std::memchr(block.first, ']', static_cast<std::size_t>(block.last - block.first));
    if (bracket != nullptr) {
      block.last = static_cast<const char*>(bracket) + 1;
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
      end_offset_ = offset_ + block.index * kBlock + static_cast<std::uint64_t>(block.last - block.first);
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

  /** False if the block holds anything but `number,` and `number\n,`. */
  bool parse(const Block& block, std::uint64_t ordinal, std::size_t count, Desk& desk) {
    if (count == 0) return true;
    const std::uint64_t block_offset = offset_ + block.index * kBlock - NumberBlock::kMargin;
    const auto offset_of = [&](const char* at) { return block_offset + static_cast<std::uint64_t>(at - desk.text.get()); };
    const char* start = nullptr;
    for (std::size_t done = 0; done < count;) {
      std::uint32_t* const ends = desk.ends.get() + 1;
      const std::size_t batch = desk.numbers.take_ends(ends, kBatch);
      if (start == nullptr) {
        start = block.first + ends[0];
        while (start > desk.text.get() + 1 && is_digit(start[-1])) --start;
        starts_[block.index] = offset_of(start);
        if (starts_[block.index] != offset_ && start[-1] != ',') return false;
      }
      const BatchPlace place{start, offset_of(start), kNoOffset};
      start = desk.numbers.read(block.first, start, ends, batch, desk.values.get());
      if (start == nullptr) return false;
      rows_.take(desk.part, ordinal + done, desk.values.get(), batch, place);
      done += batch;
      if (done < count && start[-1] != ',') return false;
    }
    if (start[-1] == ']') ends_[block.index] = end_mark();
    else if (start[-1] == ',') ends_[block.index] = offset_of(start);
    else return false;
    return true;
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
