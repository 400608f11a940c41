#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "../../native/recording/checksum.h"
#include "../../native/recording/layout.h"
#include "check.h"

namespace crucible::test {

/** A path for a recording that is removed again. */
class TemporaryFile {
 public:
  TemporaryFile() {
    char name[] = "/tmp/crucible-memory-native-XXXXXX";
    check(mkdtemp(name) != nullptr, "a temporary folder");
    folder_ = name;
  }
  ~TemporaryFile() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/test.recording"; }

 private:
  std::string folder_;
};

/** What a walk over a file found; every checksum on the way was checked. */
struct WalkedFile {
  std::map<std::uint32_t, std::uint64_t> records_by_stream;
  std::map<int, std::uint64_t> records_by_kind;
  std::uint32_t blocks = 0;
  std::uint32_t sealed_blocks = 0;
  bool is_closed = false;
  std::uint64_t dropped = 0;
};

/** Reads a recording the slow and obvious way. */
inline WalkedFile walk(const std::string& path) {
  using namespace recording;
  std::ifstream stream(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  const auto* header = reinterpret_cast<const FileHeader*>(data);
  check(bytes.size() >= kHeaderStep && std::memcmp(header->magic, kFileMagic, sizeof kFileMagic) == 0, "a recording");

  WalkedFile found;
  found.is_closed = header->closed.load() == 1;
  found.dropped = header->records_dropped.load();
  for (std::size_t at = header->header_bytes; at + kBlockBytes <= bytes.size(); at += kBlockBytes) {
    const auto* block = reinterpret_cast<const BlockHeader*>(data + at);
    if (block->magic.load() == 0) continue;
    check_equal(block->magic.load(), kBlockMagic);
    found.blocks++;
    const std::byte* payload = data + at + sizeof(BlockHeader);
    const std::uint32_t used = block->used.load();
    if (block->sealed.load() == 1) {
      found.sealed_blocks++;
      check_equal(Crc32c::of(payload, used), block->payload_checksum);
    }
    for (std::size_t position = 0; position < used;) {
      std::size_t length = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned>(payload[position++]);
        length |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      check(length > 0 && position + 2 + length <= used, "a record inside its block");
      std::uint16_t expected;
      std::memcpy(&expected, payload + position, sizeof expected);
      position += sizeof expected;
      check_equal(static_cast<std::uint16_t>(Crc32c::of(payload + position, length)), expected);
      found.records_by_stream[block->stream]++;
      found.records_by_kind[static_cast<int>(payload[position])]++;
      position += length;
    }
  }
  return found;
}

}  // namespace crucible::test
