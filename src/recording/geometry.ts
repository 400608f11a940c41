import { CrucibleMemoryError } from '../errors.js';
import {
  BLOCK_BYTES_MAX,
  BLOCK_BYTES_MIN,
  BLOCK_HEADER,
  BLOCK_MAGIC,
  BlockType,
  FILE_HEADER,
  FILE_MAGIC,
  HEADER_STEP_BYTES,
  VERSION_MAJOR,
} from './layout.js';

/** What the first 128 bytes of the file tell, enough to read the rest. */
export interface FileGeometry {
  headerBytes: number;
  blockBytes: number;
  detailsBytes: number;
}

/** What a block says of itself; undefined fields of it need the whole block. */
export interface BlockSummary {
  type: number;
  stream: number;
  sequence: number;
  /** Sequence numbers that it stands for, from its own on. */
  covered: number;
}

/** @throws CrucibleMemoryError RECORDING_FOREIGN, RECORDING_TRUNCATED, RECORDING_VERSION */
export function decodeGeometry(path: string, start: Uint8Array): FileGeometry {
  if (start.length < FILE_HEADER.details) {
    if (FILE_MAGIC.every((byte, i) => i >= start.length || start[i] === byte))
      throw new CrucibleMemoryError('RECORDING_TRUNCATED', {
        what: `${path} ends after ${start.length} bytes, inside its header`,
        why: 'the recording was cut short, or its process died while beginning it',
        fix: 'record again',
      });
    throw foreign(path, 'it does not begin like one');
  }
  if (!FILE_MAGIC.every((byte, i) => start[i] === byte)) throw foreign(path, 'it does not begin like one');
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const major = view.getUint16(FILE_HEADER.versionMajor, true);
  if (major !== VERSION_MAJOR)
    throw new CrucibleMemoryError('RECORDING_VERSION', {
      what: `${path} has format version ${major}`,
      why: `this version of crucible-memory reads version ${VERSION_MAJOR}`,
      fix: major > VERSION_MAJOR ? 'update crucible-memory' : 'read it with the version that wrote it',
    });
  const geometry = {
    headerBytes: view.getUint32(FILE_HEADER.headerBytes, true),
    blockBytes: view.getUint32(FILE_HEADER.blockBytes, true),
    detailsBytes: view.getUint32(FILE_HEADER.detailsBytes, true),
  };
  const fits =
    geometry.headerBytes >= FILE_HEADER.details + geometry.detailsBytes &&
    geometry.headerBytes % HEADER_STEP_BYTES === 0 &&
    geometry.blockBytes >= BLOCK_BYTES_MIN &&
    geometry.blockBytes <= BLOCK_BYTES_MAX;
  if (!fits) throw foreign(path, 'its header contradicts itself, so it is damaged');
  return geometry;
}

function foreign(path: string, why: string): CrucibleMemoryError {
  return new CrucibleMemoryError('RECORDING_FOREIGN', {
    what: `${path} is no recording of crucible-memory`,
    why,
    fix: 'name a recording; `crucible-memory analyze` also reads CSV and NDJSON',
  });
}

/** undefined: the block was reserved and never used. */
export function decodeBlockSummary(start: Uint8Array): BlockSummary | 'damaged' | undefined {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const magic = view.getUint32(BLOCK_HEADER.magic, true);
  if (magic === 0) return undefined;
  if (magic !== BLOCK_MAGIC) return 'damaged';
  const type = view.getUint8(BLOCK_HEADER.type);
  return {
    type,
    stream: view.getUint32(BLOCK_HEADER.stream, true),
    sequence: view.getUint32(BLOCK_HEADER.sequence, true),
    covered: type === BlockType.Reduced ? view.getUint32(BLOCK_HEADER.covered, true) : 1,
  };
}
