#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

/**
 * The layout of a recording file. src/recording/layout.ts says the same in
 * TypeScript; a round-trip test ties the two.
 *
 *   FILE     | header | block 0 | block 1 | block 2 | ...
 *
 *   HEADER   headerBytes long, a multiple of 4096; little-endian like everything here
 *     0   8  magic "CRUCMEM\n"
 *     8   2  versionMajor      a reader refuses one that it does not know
 *    10   2  versionMinor      a reader reads on, and skips what it does not know
 *    12   4  headerBytes
 *    16   4  blockBytes
 *    20   4  pid
 *    24   8  startMonotonicNs  CLOCK_MONOTONIC, the clock of process.hrtime.bigint()
 *    32   8  startEpochNs
 *    40   4  detailsBytes
 *    44   4  checksum          crc32c of bytes 0..43 followed by the details
 *    48   4  blockCount        blocks handed out; more may be reserved behind them
 *    52   4  closed            1 when the writer ended in order
 *    56   8  recordsDropped    records for which there was no room
 *    64  64  dropReason        text of the system, zero-terminated: "No space left on device"
 *   128   n  details           JSON text of the application
 *
 *   BLOCK    blockBytes long; belongs to one stream, that is to one thread
 *     0   4  magic "CMBK"      0: reserved, never used
 *     4   1  type              1 catalogue, 2 data, 3 reduced; any other is skipped
 *     5   1  sealed            1: full or ended, payloadChecksum is valid
 *     6   2  payloadOffset     64
 *     8   4  stream
 *    12   4  sequence          0, 1, 2 ... within the stream
 *    16   8  baseNs            signed, since startMonotonicNs; the first time of the block counts from here
 *    24   4  used              payload bytes; stored last, so what it covers is whole
 *    28   4  payloadChecksum   crc32c of the payload
 *    32   8  lastNs            time of the last record, once sealed
 *    40   4  covered           reduced: how many sequence numbers, from its own on, it stands for
 *    44   1  level             reduced: how often; 1: made of data blocks
 *    45  19  0
 *    64   n  payload           records, one behind the other; a length of 0 ends them
 *
 *   RECORD   | length varint | check 2 | kind 1 | body |
 *     length counts kind and body; check is the low half of their crc32c
 *     kind   | c | p | k k k k k k |   c: the next record of the stream continues this one
 *                                      p: this one continues the previous one
 *
 *     1 GROUP          id varint, definition JSON {"name","channels":[{"name","unit","kind","description"}]}
 *     2 SAMPLE         group varint, time, one value a channel
 *     3 SPARSE SAMPLE  group varint, time, presence bitmap (bit 0 of byte 0: first channel), values present
 *     4 EVENT          time, name length varint, name, detail JSON
 *     5 SUMMARY        group varint, time of the last sample, ns back to the first one varint; for each channel
 *                      the count varint of its values, then nothing (0), the value (1), or min, max, mean, last
 *
 *     time            zigzag varint, ns since the previous time in this block
 *     integer value   zigzag varint, minus the channel's previous value in this block (at first 0)
 *     real value      8 bytes, IEEE 754
 *     in a SUMMARY    max and last count from min, the next summary's min from last; a mean is a real value
 *
 * Deltas start anew in every block, so that a block can be lost, or later be
 * reduced, without harm to the others. Catalogue blocks define the groups and
 * are never reduced.
 *
 * A file that may not grow further (BlockFile) has its oldest blocks reduced:
 *
 *   before   | data s1 #0 | data s1 #1 | data s2 #0 | data s1 #2 | free |
 *   written  | data s1 #0 | data s1 #1 | data s2 #0 | data s1 #2 | reduced s1 #0, covers 2 |
 *   after    | free       | free       | data s2 #0 | data s1 #2 | reduced s1 #0, covers 2 |
 *
 * The reduced block is whole before its magic is written, and what it covers is freed (magic 0) only then: a
 * writer that dies in between leaves both, and a reader passes over what is covered. Free blocks are used
 * again, so that the order of blocks in the file means nothing. Since version 1.1; a reader of 1.0 skips
 * reduced blocks, and says that blocks are missing.
 */
namespace crucible::recording {

static_assert(std::endian::native == std::endian::little, "recordings are little-endian");

inline constexpr char kFileMagic[8] = {'C', 'R', 'U', 'C', 'M', 'E', 'M', '\n'};
inline constexpr std::uint16_t kVersionMajor = 1;
inline constexpr std::uint16_t kVersionMinor = 1;
inline constexpr std::uint32_t kHeaderStep = 4096;
inline constexpr std::uint32_t kBlockBytes = 64 * 1024;
inline constexpr std::uint32_t kBlockMagic = 0x4b424d43;  // "CMBK"

/** More channels than this in one group would not fit a block comfortably. */
inline constexpr std::size_t kChannelsMax = 1024;
/** Integer channels are exact up to here, like JavaScript's numbers. */
inline constexpr double kIntegerMax = 9007199254740992.0;  // 2^53

enum class BlockType : std::uint8_t { catalogue = 1, data = 2, reduced = 3 };
enum class RecordKind : std::uint8_t { group = 1, sample = 2, sparse_sample = 3, event = 4, summary = 5 };

inline constexpr std::uint8_t kContinuedByNext = 0x80;
inline constexpr std::uint8_t kContinuesPrevious = 0x40;
inline constexpr std::uint8_t kKindMask = 0x3f;

struct FileHeader {
  char magic[8];
  std::uint16_t version_major;
  std::uint16_t version_minor;
  std::uint32_t header_bytes;
  std::uint32_t block_bytes;
  std::uint32_t pid;
  std::int64_t start_monotonic_ns;
  std::int64_t start_epoch_ns;
  std::uint32_t details_bytes;
  std::uint32_t checksum;
  std::atomic<std::uint32_t> block_count;
  std::atomic<std::uint32_t> closed;
  std::atomic<std::uint64_t> records_dropped;
  char drop_reason[64];
};
static_assert(sizeof(FileHeader) == 128);
static_assert(offsetof(FileHeader, checksum) == 44);
static_assert(offsetof(FileHeader, records_dropped) == 56);

struct BlockHeader {
  std::atomic<std::uint32_t> magic;
  std::uint8_t type;
  std::atomic<std::uint8_t> sealed;
  std::uint16_t payload_offset;
  std::uint32_t stream;
  std::uint32_t sequence;
  std::int64_t base_ns;
  std::atomic<std::uint32_t> used;
  std::uint32_t payload_checksum;
  std::int64_t last_ns;
  std::uint32_t covered;
  std::uint8_t level;
  std::uint8_t reserved[19];
};
static_assert(sizeof(BlockHeader) == 64);
static_assert(offsetof(BlockHeader, used) == 24);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::size_t kPayloadBytes = kBlockBytes - sizeof(BlockHeader);

}  // namespace crucible::recording
