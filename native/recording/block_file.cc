#include "block_file.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "checksum.h"
#include "failure.h"

namespace crucible::recording {

namespace {

/** Any error will do: it is not written down. */
constexpr SystemError kNoMoreBlocks = 1;

[[noreturn]] void cannot_begin(const std::string& path, SystemError error) {
  throw Failure("RECORDING_UNWRITABLE",
                {"the recording " + path + " cannot be begun", text_of(error),
                 "free some space, or choose a path on another disk"});
}

std::uint32_t header_checksum(const FileHeader* header, std::string_view details) noexcept {
  const std::uint32_t fields =
      Crc32c::of(reinterpret_cast<const std::byte*>(header), offsetof(FileHeader, checksum));
  return Crc32c::of(reinterpret_cast<const std::byte*>(details.data()), details.size(), fields);
}

}  // namespace

BlockFile::BlockFile(const std::string& path, std::string_view details)
    : file_(path),
      header_bytes_((sizeof(FileHeader) + details.size() + kHeaderStep - 1) / kHeaderStep * kHeaderStep) {
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

SystemError BlockFile::take_block(const Claim& claim, MappedRange& block) noexcept {
  const std::lock_guard lock(mutex_);
  const SystemError error = take_locked(claim, block);
  if (error != 0 && !is_closed()) note_failure_locked(error);
  return error;
}

SystemError BlockFile::take_locked(const Claim& claim, MappedRange& block) noexcept {
  if (is_closed()) return kNoMoreBlocks;
  const std::uint32_t number = header()->block_count.load(std::memory_order_relaxed);
  if (number == reserved_blocks_)
    if (const auto error = reserve_locked()) return error;
  if (const auto error = file_.map(offset_of(number), kBlockBytes, block)) return error;

  auto* made = new (block.data()) BlockHeader{};
  made->type = static_cast<std::uint8_t>(claim.type);
  made->payload_offset = sizeof(BlockHeader);
  made->stream = claim.stream;
  made->sequence = claim.sequence;
  made->base_ns = claim.base_ns;
  // A reader that looks now must not take half a header for a whole one.
  made->magic.store(kBlockMagic, std::memory_order_release);
  header()->block_count.store(number + 1, std::memory_order_release);
  return 0;
}

SystemError BlockFile::reserve_locked() noexcept {
  SystemError error = 0;
  // On a disk that is nearly full one block may still fit where sixteen do not.
  for (const std::uint32_t more : {kBlocksPerReservation, std::uint32_t{1}}) {
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
    const std::string text = text_of(error);
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
      .failure = dropped > 0 && noted_failure_ != 0 ? text_of(noted_failure_) : std::string(),
  };
}

}  // namespace crucible::recording
