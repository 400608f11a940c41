/**
 * What a file seems to be that is given in place of a heap snapshot, by how it
 * begins. Undefined when it may well be a snapshot: that is for the parser to say.
 */
export function foreignKind(beginning: Buffer): string | undefined {
  const text = beginning.toString('latin1');
  const known = SIGNATURES.find(({ starts }) => text.startsWith(starts));
  if (known) return known.kind;
  const dense = text.replace(/\s+/g, '');
  return DOCUMENTS.find(({ pattern }) => pattern.test(dense))?.kind;
}

/** How many bytes foreignKind() wants to see. */
export const BEGINNING_BYTES = 4096;

const SIGNATURES = [
  { starts: 'CRUCMEM\n', kind: 'a recording of crucible-memory' },
  { starts: '\x7fELF', kind: 'a program or a core dump' },
  { starts: 'PK\x03\x04', kind: 'a zip archive: unpack it first' },
  { starts: '\x28\xb5\x2f\xfd', kind: 'a file compressed with zstd: unpack it first' },
  { starts: '\xfd7zXZ', kind: 'a file compressed with xz: unpack it first' },
  { starts: 'BZh', kind: 'a file compressed with bzip2: unpack it first' },
  { starts: '%PDF', kind: 'a PDF document' },
  { starts: '\x89PNG', kind: 'a picture' },
] as const;

/** Without any space. A snapshot begins with `{"snapshot":` in every version of V8 so far. */
const DOCUMENTS = [
  { pattern: /^\{"nodes":\[\{"id":\d+,"callFrame"/, kind: 'a CPU profile (.cpuprofile)' },
  { pattern: /^\{"head":\{"callFrame"/, kind: 'a sampling heap profile (.heapprofile)' },
  { pattern: /^\{"header":\{"reportVersion"/, kind: 'a diagnostic report of Node.js' },
  { pattern: /^\{"traceEvents"/, kind: 'a trace of events' },
  { pattern: /^\{"schemaVersion":\d+,"tool":"crucible-memory"/, kind: 'a report of crucible-memory' },
] as const;
