import { gzipSync } from 'node:zlib';
import { Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import { type AllocationFrame, type AllocationProfile, stackOf } from './allocation-profile.js';

/**
 * An allocation profile as gzipped pprof, for `go tool pprof`, Pyroscope, Parca, Datadog and the like. Live
 * objects and their bytes are the types inuse_objects and inuse_space, as in Go's heap profiles.
 */
export function encodePprof(profile: AllocationProfile): Uint8Array {
  const strings = new StringTable();
  const functions = new Map<string, PprofFunction>();
  const locations = new Map<string, Location>();
  const locationOf = (frame: AllocationFrame): number => {
    const key = JSON.stringify([frame.functionName, frame.url, frame.line, frame.column]);
    const known = locations.get(key);
    if (known) return Number(known.id);
    const name = strings.dedup(frame.functionName || '(anonymous)');
    const made = new PprofFunction({
      id: functions.size + 1,
      name,
      systemName: name,
      filename: strings.dedup(frame.url),
      startLine: frame.line ?? 0,
    });
    functions.set(key, made);
    const line = { functionId: made.id, line: frame.line ?? 0, column: frame.column ?? 0 };
    const location = new Location({ id: locations.size + 1, line: [line] });
    locations.set(key, location);
    return Number(location.id);
  };
  const sample = byNode(profile).map(
    ({ node, objects, bytes }) =>
      new Sample({
        locationId: stackOf(profile, node).map(locationOf),
        value: [Math.round(objects), Math.round(bytes)],
      }),
  );
  const type = (name: string, unit: string) =>
    new ValueType({ type: strings.dedup(name), unit: strings.dedup(unit) });
  const encoded = new Profile({
    sampleType: [type('inuse_objects', 'count'), type('inuse_space', 'bytes')],
    sample,
    location: [...locations.values()],
    function: [...functions.values()],
    periodType: type('space', 'bytes'),
    period: profile.intervalBytes,
    timeNanos: BigInt(Math.round(profile.startedAtEpochMs * 1000)) * 1000n,
    durationNanos: BigInt(Math.round(profile.durationMs * 1e6)),
    defaultSampleType: strings.dedup('inuse_space'),
    stringTable: strings,
  });
  return gzipSync(encoded.encode());
}

/** One row for each place that allocated: pprof has no use for single samples. */
function byNode(profile: AllocationProfile): { node: number; objects: number; bytes: number }[] {
  const rows = new Map<number, { node: number; objects: number; bytes: number }>();
  for (const { node, objects, bytes } of profile.samples) {
    const row = rows.get(node) ?? { node, objects: 0, bytes: 0 };
    row.objects += objects;
    row.bytes += bytes;
    rows.set(node, row);
  }
  return [...rows.values()];
}
