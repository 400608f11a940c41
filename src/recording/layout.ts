/**
 * The layout of a recording file in numbers. native/recording/layout.h draws
 * it, says what every field means, and must say the same as this file.
 */

/** "CRUCMEM\n" */
export const FILE_MAGIC = Uint8Array.of(0x43, 0x52, 0x55, 0x43, 0x4d, 0x45, 0x4d, 0x0a);
/** "CMBK", little-endian. */
export const BLOCK_MAGIC = 0x4b424d43;
export const VERSION_MAJOR = 1;
export const VERSION_MINOR = 1;

/** The header takes a multiple of this. */
export const HEADER_STEP_BYTES = 4096;
export const BLOCK_BYTES = 64 * 1024;
/** A reader believes no header that names smaller or larger blocks. */
export const BLOCK_BYTES_MIN = 4096;
export const BLOCK_BYTES_MAX = 16 * 1024 * 1024;

/** Byte offsets in the file's header. */
export const FILE_HEADER = {
  versionMajor: 8,
  versionMinor: 10,
  headerBytes: 12,
  blockBytes: 16,
  pid: 20,
  startMonotonicNs: 24,
  startEpochNs: 32,
  detailsBytes: 40,
  checksum: 44,
  blockCount: 48,
  closed: 52,
  recordsDropped: 56,
  dropReason: 64,
  dropReasonBytes: 64,
  details: 128,
} as const;

/** Byte offsets in a block's header. */
export const BLOCK_HEADER = {
  magic: 0,
  type: 4,
  sealed: 5,
  payloadOffset: 6,
  stream: 8,
  sequence: 12,
  baseNs: 16,
  used: 24,
  payloadChecksum: 28,
  lastNs: 32,
  covered: 40,
  level: 44,
  size: 64,
} as const;

/** What fits into a block that we write. */
export const PAYLOAD_BYTES = BLOCK_BYTES - BLOCK_HEADER.size;

export const BlockType = { Catalogue: 1, Data: 2, Reduced: 3 } as const;
export const RecordKind = { Group: 1, Sample: 2, SparseSample: 3, Event: 4, Summary: 5 } as const;

/** The next record of the stream goes on with this one. */
export const CONTINUED_BY_NEXT = 0x80;
/** This record goes on with the previous one of the stream. */
export const CONTINUES_PREVIOUS = 0x40;
export const KIND_MASK = 0x3f;

export const CHECK_BYTES = 2;
/** Length (3 bytes of varint at most), check, kind. */
export const RECORD_OVERHEAD_MAX = 3 + CHECK_BYTES + 1;
export const VARINT_BYTES_MAX = 10;
/** A text that is longer may be cut where a block ends. */
export const KEPT_WHOLE_BYTES = 1024;

export const CHANNELS_MAX = 1024;
export const EVENT_NAME_BYTES_MAX = 1024;
/** Integer channels are exact up to here. */
export const INTEGER_MAX = 2 ** 53;
