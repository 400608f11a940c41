#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "block_file.h"
#include "stream.h"

namespace crucible::recording {

/**
 * Writes one recording file. Defining groups, opening streams and asking for
 * the status is safe from any thread; samples go through a stream per thread.
 */
class RecordingWriter {
 public:
  /**
   * @param details JSON text for the header
   * @param bytes_max size beyond which old samples are summarised; 0: the file may grow
   * @throws Failure RECORDING_UNWRITABLE, USAGE
   */
  RecordingWriter(const std::string& path, std::string_view details, std::uint64_t bytes_max = 0);
  /** Closes what was not closed. */
  ~RecordingWriter();

  /** @throws Failure USAGE (a channel name twice), RECORDING_UNWRITABLE */
  std::shared_ptr<const Group> define_group(const std::string& name, const std::vector<ChannelDefinition>& channels);

  [[nodiscard]] std::unique_ptr<Stream> open_stream(StreamOwner owner = StreamOwner::recording);

  /** Seals and trims the file. @throws Failure USAGE while a stream other than a guest's is open */
  void close();

  [[nodiscard]] bool is_bounded() const noexcept { return file_->is_bounded(); }
  /** To be called now and then where the file is bounded, by a thread that may wait some milliseconds. */
  void make_room() noexcept { file_->make_room(); }

  [[nodiscard]] RecordingStatus status() const { return file_->status(); }

 private:
  static constexpr std::uint32_t kCatalogueStream = 0;

  std::shared_ptr<BlockFile> file_;
  std::mutex mutex_;
  std::unique_ptr<Stream> catalogue_;
  std::unordered_set<std::string> channel_names_;
  std::uint32_t next_group_id_ = 1;
  std::uint32_t next_stream_id_ = kCatalogueStream + 1;
};

}  // namespace crucible::recording
