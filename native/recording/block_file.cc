#include "block_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "checksum.h"
#include "failure.h"
#include "reduction.h"

namespace crucible::recording {

namespace {

/** The recording is closed, or has the size that it may have and nothing in it can be reduced further. */
constexpr SystemError kNoMoreBlocks = -1;
constexpr const char* kNoMoreBlocksText = "the recording has the size that it may have";
constexpr std::uint64_t kBlocksAtLeast = 16;

std::string failure_text(SystemError error) {
  return error == kNoMoreBlocks ? kNoMoreBlocksText : text_of(error);
}

[[noreturn]] void cannot_begin(const std::string& path, SystemError error) {
  throw Failure("RECORDING_UNWRITABLE",
                {"the recording " + path + " cannot be begun", text_of(error),
                 "free some space, or choose a path on another disk"});
}

/** Of a file that may have so many bytes. */
std::uint32_t blocks_within(std::uint64_t bytes_max, std::uint64_t header_bytes) {
  if (bytes_max == 0) return BlockTable::kUnbounded;
  const std::uint64_t blocks = (bytes_max - std::min(bytes_max, header_bytes)) / kBlockBytes;
  if (blocks < kBlocksAtLeast)
    throw Failure("USAGE", {"a recording cannot be kept to " + std::to_string(bytes_max) + " bytes",
                            "each of its threads fills blocks of 64 KiB", "allow it 2 MiB or more"});
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(blocks, BlockTable::kUnbounded - 1));
}

std::uint32_t header_checksum(const FileHeader* header, std::string_view details) noexcept {
  const std::uint32_t fields =
      Crc32c::of(reinterpret_cast<const std::byte*>(header), offsetof(FileHeader, checksum));
  return Crc32c::of(reinterpret_cast<const std::byte*>(details.data()), details.size(), fields);
}

}  // namespace

BlockFile::BlockFile(const std::string& path, std::string_view details, std::uint64_t bytes_max)
    : file_(path),
      header_bytes_((sizeof(FileHeader) + details.size() + kHeaderStep - 1) / kHeaderStep * kHeaderStep),
      table_(blocks_within(bytes_max, header_bytes_)) {
  if (const auto error = file_.reserve(0, header_bytes_)) cannot_begin(path, error);
  if (const auto error = file_.map(0, header_bytes_, header_)) cannot_begin(path, error);

  auto* header = new (header_.data()) FileHeader{};
  header->version_major = kVersionMajor;
  header->version_minor = kVersionMinor;
  header->header_bytes = static_cast<std::uint32_t>(header_bytes_);
  header->block_bytes = kBlockBytes;
  header->pid = current_pid();
  header->start_monotonic_ns = monotonic_now_ns();
  header->start_epoch_ns = epoch_now_ns();
  header->details_bytes = static_cast<std::uint32_t>(details.size());
  std::copy(details.begin(), details.end(), reinterpret_cast<char*>(header_.data()) + sizeof(FileHeader));
  std::memcpy(header->magic, kFileMagic, sizeof kFileMagic);
  header->checksum = header_checksum(header, details);

  const std::lock_guard lock(mutex_);
  if (const auto error = reserve_locked()) cannot_begin(path, error);
}

SystemError BlockFile::take_block(const BlockClaim& claim, TakenBlock& block) noexcept {
  std::unique_lock lock(mutex_);
  SystemError error = kNoMoreBlocks;
  try {
    error = take_locked(claim, block, lock);
  } catch (const std::exception&) {
    error = ENOMEM;
  }
  if (error != 0 && !is_closed()) note_failure_locked(error);
  return error;
}

SystemError BlockFile::take_locked(const BlockClaim& claim, TakenBlock& block, std::unique_lock<std::mutex>& lock) {
  if (is_closed()) return kNoMoreBlocks;
  auto number = table_.take(claim);
  // Whoever waited as well may have been faster.
  while (!number && !is_closed() && reduce_one(lock)) number = table_.take(claim);
  if (!number) return kNoMoreBlocks;
  SystemError error = reserve_up_to_locked(*number);
  if (error == 0) error = file_.map(offset_of(*number), kBlockBytes, block.bytes);
  if (error != 0) {
    table_.give_back(*number);
    return error;
  }
  block.number = *number;

  auto* made = new (block.bytes.data()) BlockHeader{};
  made->type = static_cast<std::uint8_t>(claim.type);
  made->payload_offset = sizeof(BlockHeader);
  made->stream = claim.stream;
  made->sequence = claim.sequence;
  made->base_ns = claim.base_ns;
  // A reader that looks now must not take half a header for a whole one.
  made->magic.store(kBlockMagic, std::memory_order_release);
  return 0;
}

void BlockFile::block_sealed(std::uint32_t number) noexcept {
  const std::lock_guard lock(mutex_);
  table_.sealed(number);
}

void BlockFile::add_group(std::shared_ptr<const Group> group) {
  const std::lock_guard lock(mutex_);
  if (groups_.size() <= group->id) groups_.resize(group->id + 1);
  groups_[group->id] = std::move(group);
}

void BlockFile::make_room() noexcept {
  if (!is_bounded()) return;
  const std::uint32_t wanted = std::clamp(table_.blocks_max() / 8, 2u, 4 * kBlocksPerReservation);
  std::unique_lock lock(mutex_);
  try {
    while (!is_closed() && table_.left() <= wanted)
      if (!reduce_one(lock)) return;
  } catch (const std::exception&) {
    // No memory for some tables: then whoever needs a block tries again, or counts what is dropped.
  }
}

/** Reduces the blocks whose turn it is, or waits for whoever does; false when there are none. */
bool BlockFile::reduce_one(std::unique_lock<std::mutex>& lock) {
  while (is_reducing_) {
    reduced_.wait(lock);
    if (!is_reducing_ && table_.left() > 1) return true;
  }
  std::size_t blocks_max = BlockTable::kRunMax;
  for (auto run = table_.next_run(blocks_max); run; run = table_.next_run(blocks_max)) {
    const auto into = table_.take_for(*run);
    const GroupTable groups = groups_;
    bool is_reduced = false;
    if (into && reserve_up_to_locked(*into) == 0) {
      is_reducing_ = true;
      lock.unlock();
      is_reduced = reduce(*run, *into, groups);
      lock.lock();
      is_reducing_ = false;
      reduced_.notify_all();
    }
    if (is_reduced) {
      table_.finished(*run, *into);
      reductions_++;
      return true;
    }
    if (into) table_.give_back(*into);
    // Fewer may fit where many do not: only events are in the way, which are kept as they are.
    const bool was_least = run->blocks.size() == 2;
    table_.give_up(*run, was_least);
    blocks_max = was_least ? BlockTable::kRunMax : run->blocks.size() / 2;
  }
  return false;
}

/** Nobody else has these blocks. What is written is whole before it is said to be a block. */
bool BlockFile::reduce(const BlockRun& run, std::uint32_t into, const GroupTable& groups) noexcept try {
  std::vector<MappedRange> ranges(run.blocks.size());
  std::vector<BlockView> views;
  for (std::size_t i = 0; i < ranges.size(); i++) {
    if (file_.map(offset_of(run.blocks[i]), kBlockBytes, ranges[i]) != 0) return false;
    const auto* from = reinterpret_cast<const BlockHeader*>(ranges[i].data());
    views.push_back({{ranges[i].data() + sizeof(BlockHeader), from->used.load(std::memory_order_acquire)}, from->base_ns});
  }
  MappedRange target;
  if (file_.map(offset_of(into), kBlockBytes, target) != 0) return false;
  std::byte* const payload = target.data() + sizeof(BlockHeader);
  const auto used = reduce_blocks(views, groups, payload);
  if (!used) return false;

  auto* made = new (target.data()) BlockHeader{};
  made->type = static_cast<std::uint8_t>(BlockType::reduced);
  made->payload_offset = sizeof(BlockHeader);
  made->stream = run.stream;
  made->sequence = run.sequence;
  made->covered = run.covered;
  made->level = static_cast<std::uint8_t>(run.level + 1);
  made->base_ns = views.front().base_ns;
  made->last_ns = reinterpret_cast<const BlockHeader*>(ranges.back().data())->last_ns;
  made->used.store(static_cast<std::uint32_t>(*used), std::memory_order_relaxed);
  made->payload_checksum = Crc32c::of(payload, *used);
  made->sealed.store(1, std::memory_order_relaxed);
  made->magic.store(kBlockMagic, std::memory_order_release);
  for (MappedRange& range : ranges)
    reinterpret_cast<BlockHeader*>(range.data())->magic.store(0, std::memory_order_release);
  return true;
} catch (const std::exception&) {
  return false;  // no memory
}

SystemError BlockFile::reserve_up_to_locked(std::uint32_t block) noexcept {
  if (block >= reserved_blocks_)
    if (const auto error = reserve_locked()) return error;
  if (block >= header()->block_count.load(std::memory_order_relaxed))
    header()->block_count.store(block + 1, std::memory_order_release);
  return 0;
}

SystemError BlockFile::reserve_locked() noexcept {
  SystemError error = 0;
  // On a disk that is nearly full one block may still fit where sixteen do not.
  const std::uint32_t many = std::min(kBlocksPerReservation, table_.blocks_max() - reserved_blocks_);
  for (const std::uint32_t more : {many, std::uint32_t{1}}) {
    error = file_.reserve(offset_of(reserved_blocks_), offset_of(std::uint64_t{reserved_blocks_} + more));
    if (error == 0) {
      reserved_blocks_ += more;
      return 0;
    }
  }
  return error;
}

void BlockFile::note_failure_locked(SystemError error) noexcept {
  if (error == noted_failure_) return;
  noted_failure_ = error;
  try {
    const std::string text = failure_text(error);
    auto& reason = header()->drop_reason;
    const std::size_t length = std::min(text.size(), sizeof reason - 1);
    std::memset(reason, 0, sizeof reason);
    std::memcpy(reason, text.data(), length);
  } catch (const std::bad_alloc&) {
    // The count of what was dropped is still right; only its reason is not written down.
  }
}

void BlockFile::close() noexcept {
  const std::lock_guard lock(mutex_);
  file_.truncate(offset_of(header()->block_count.load(std::memory_order_relaxed)));
  header()->closed.store(1, std::memory_order_release);
}

RecordingStatus BlockFile::status() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t dropped = header()->records_dropped.load(std::memory_order_relaxed);
  return {
      .bytes_written = offset_of(header()->block_count.load(std::memory_order_relaxed)),
      .records_dropped = dropped,
      .failure = dropped > 0 && noted_failure_ != 0 ? failure_text(noted_failure_) : std::string(),
      .reductions = reductions_,
      .memory_bytes = header_bytes_ + table_.blocks_in_use() * kBlockBytes,
  };
}

}  // namespace crucible::recording
