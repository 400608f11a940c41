import { type AllocationFrame, type AllocationProfile, stackOf } from '../recording/allocation-profile.js';
import { isProgramsOwn, type Place, pathOf } from './source-place.js';

/** A function that allocated what is still alive. */
export interface AllocationSite {
  /** Empty for a function without a name. */
  functionName: string;
  /** Where the function begins: V8 does not say where in it. */
  place: Place;
  bytes: number;
  samples: number;
  /** The functions of the program that led there, innermost first, itself included. */
  callers: string[];
}

/**
 * Live bytes by the innermost function that is the program's own: what Node's own functions allocate, they do
 * for whoever called them. Most bytes first. Stacks without such a function are left out.
 */
export function allocationSites(profile: AllocationProfile): AllocationSite[] {
  const sites = new Map<string, AllocationSite>();
  const frameOf = new Map<number, AllocationFrame[]>();
  for (const { node, bytes, isCollected } of profile.samples) {
    if (isCollected) continue;
    const frames = frameOf.get(node) ?? stackOf(profile, node).filter(({ url }) => isProgramsOwn(url));
    frameOf.set(node, frames);
    const [innermost] = frames;
    if (innermost?.line === undefined) continue;
    const key = `${innermost.url}:${innermost.line}:${innermost.column}`;
    const known = sites.get(key);
    if (known) {
      known.bytes += bytes;
      known.samples++;
      continue;
    }
    sites.set(key, {
      functionName: innermost.functionName,
      place: {
        script: pathOf(innermost.url) ?? innermost.url,
        line: innermost.line,
        column: innermost.column ?? 1,
      },
      bytes,
      samples: 1,
      callers: frames.map(({ functionName }) => functionName || '(anonymous)'),
    });
  }
  return [...sites.values()].sort((a, b) => b.bytes - a.bytes);
}
