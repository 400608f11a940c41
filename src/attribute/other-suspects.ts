import type { LeakDetectionResult, Suspect } from '../diagnosis/index.js';
import { formatBytes } from '../units.js';
import type { AllocationSite } from './allocation-sites.js';
import { confidenceOf, type Grounds, leakConfidence } from './confidence.js';
import { evidenceOfReference, evidenceOfSite } from './evidence.js';
import { type Charged, type Share, shareOf } from './ledger.js';
import { totalOf } from './measured-growth.js';
import type { Observations } from './observations.js';
import { packageOf } from './source-place.js';
import { ownerText, statementOf } from './statement.js';
import type { UnreleasedReferences } from './unreleased-references.js';

/** Suspects that no growing place of the heap stands for. */

/** Of the growth; less than this unexplained needs no suspect of its own. */
const UNEXPLAINED_SHARE = 0.1;
/** Live bytes of one function, of what is unexplained. */
const SITE_SHARE = 0.2;
const SITES_MAX = 3;
const PER_OPERATION_AT_LEAST = 0.001;

const NOTHING: Share = { heapBytes: 0, externalBytes: 0, nativeBytes: 0 };

type Given = Partial<Omit<Suspect, 'statement' | 'confidence' | 'share'>> & Pick<Suspect, 'kind' | 'advice'>;

function charged(
  given: Given,
  words: { pattern: string; functionName?: string },
  about: { share: Share; grounds: Partial<Grounds>; observations: Observations; leak: LeakDetectionResult },
): Charged {
  const { share, grounds, observations, leak } = about;
  const { growth } = observations;
  const bytes = share.heapBytes + share.externalBytes + share.nativeBytes;
  const operations = growth?.operations || null;
  const total = growth ? totalOf(growth) : 0;
  const suspect = {
    className: null,
    retainingPath: null,
    holder: null,
    allocationSite: null,
    package: packageOf(given.allocationSite?.script),
    counters: [],
    bytesPerOperation: bytes > 0 && operations ? bytes / operations : null,
    countPerOperation: null,
    share: bytes > 0 ? shareOf(bytes, total) : null,
    confidence: confidenceOf(grounds, leakConfidence(leak)),
    fingerprint: null,
    evidence: [],
    ...given,
  };
  const statement = statementOf(suspect, {
    holderClass: null,
    functionName: words.functionName,
    pattern: words.pattern,
    bytes,
  });
  return { ...share, suspect: { ...suspect, statement } };
}

/** References that were lost, where nothing on the heap grows in step with them. */
export function referenceSuspects(
  references: readonly UnreleasedReferences[],
  observations: Observations,
  leak: LeakDetectionResult,
): Charged[] {
  const { operationsInAll, counters } = observations;
  return references.flatMap((reference) => {
    const { kind, registryKind, name, count, how, takenAt, cycle } = reference;
    const countPerOperation = operationsInAll > 0 ? count / operationsInAll : null;
    if (countPerOperation === null || (countPerOperation < PER_OPERATION_AT_LEAST && how !== 'held'))
      return [];
    const moving = counters.filter(({ channel }) => channel.startsWith(`${registryKind}.${name}.`));
    const given: Given = {
      kind,
      className: `${registryKind} "${name}"`,
      allocationSite: takenAt,
      countPerOperation,
      counters: moving.map(({ channel }) => channel),
      advice: cycle
        ? 'let one of them hold the other by a weak reference (Weak)'
        : 'give it back when its work is done, best with `using`, also when the work fails',
      evidence: [evidenceOfReference(reference, operationsInAll)],
    };
    const pattern = cycle
      ? `references that hold each other (${cycle})`
      : how === 'held'
        ? 'a reference that is still held with nothing in flight'
        : 'references that are not given back';
    const grounds = { unreleased: true, counter: moving.length > 0 };
    return [charged(given, { pattern }, { share: NOTHING, grounds, observations, leak })];
  });
}

/**
 * Functions that allocated what is alive, where no snapshot says what holds it. Without rounds nothing says how much
 * of the growth that is: then those that hold most of what was allocated since the program began.
 */
export function siteSuspects(
  sites: readonly AllocationSite[],
  left: Share,
  observations: Observations,
  leak: LeakDetectionResult,
): Charged[] {
  const { growth } = observations;
  const suspectOf = (site: AllocationSite, bytes: number) => {
    const given: Given = {
      kind: 'objects',
      allocationSite: site.place,
      className: null,
      advice: 'look at what keeps what this function makes',
      evidence: [evidenceOfSite(site, growth?.operations ?? null)],
    };
    const share = { ...NOTHING, heapBytes: bytes };
    const words = { pattern: 'objects that stay alive', functionName: site.functionName };
    return charged(given, words, { share, grounds: { allocationSite: true }, observations, leak });
  };
  if (growth === null) {
    const least = SITE_SHARE * sites.reduce((sum, { bytes }) => sum + bytes, 0);
    return sites
      .slice(0, SITES_MAX)
      .filter(({ bytes }) => bytes >= least)
      .map((site) => suspectOf(site, 0));
  }
  if (growth.operations === 0 || left.heapBytes < UNEXPLAINED_SHARE * totalOf(growth)) return [];
  const suspects: Charged[] = [];
  for (const site of sites.slice(0, SITES_MAX)) {
    const bytes = Math.min(site.bytes, left.heapBytes);
    if (bytes < SITE_SHARE * left.heapBytes) continue;
    left.heapBytes -= bytes;
    suspects.push(suspectOf(site, bytes));
  }
  return suspects;
}

/** Memory outside of the heap that nothing on the heap stands for. */
export function processSuspects(
  left: Share,
  observations: Observations,
  leak: LeakDetectionResult,
): Charged[] {
  const { growth } = observations;
  if (growth === null || growth.operations === 0) return [];
  const least = UNEXPLAINED_SHARE * totalOf(growth);
  const suspects: Charged[] = [];
  if (left.externalBytes > Math.max(0, least))
    suspects.push(externalSuspect(left.externalBytes, observations, leak));
  if (left.nativeBytes > Math.max(0, least))
    suspects.push(nativeSuspect(left.nativeBytes, observations, leak));
  return suspects;
}

function externalSuspect(bytes: number, observations: Observations, leak: LeakDetectionResult): Charged {
  const isBuffers = (observations.growth?.arrayBuffersBytes ?? 0) >= bytes / 2;
  const [site] = observations.sites;
  const operations = observations.growth?.operations ?? 1;
  const given: Given = {
    kind: isBuffers ? 'array-buffers' : 'external',
    className: isBuffers ? 'ArrayBuffer' : 'external memory',
    allocationSite: site?.place ?? null,
    package: packageOf(site?.place.script) ?? onlyAddon(observations.addons),
    advice: isBuffers
      ? 'let go of each buffer when it was used; native code must delete its references to them'
      : 'free what native objects own when they are no longer used (close, dispose, finalize)',
    evidence: [
      processEvidence(bytes, operations, 'memory outside of the V8 heap that V8 knows of'),
      ...(site ? [evidenceOfSite(site, operations)] : []),
    ],
  };
  const words = { pattern: `memory outside of the heap${addonsText(observations.addons)}` };
  const grounds = { processPart: true, allocationSite: site !== undefined };
  return charged(given, words, { share: { ...NOTHING, externalBytes: bytes }, grounds, observations, leak });
}

function nativeSuspect(bytes: number, observations: Observations, leak: LeakDetectionResult): Charged {
  const operations = observations.growth?.operations ?? 1;
  const given: Given = {
    kind: 'native',
    className: 'native memory',
    package: onlyAddon(observations.addons),
    advice:
      'look at the addons that each operation calls: one does not free what it allocates, or is never told to (close, free, finalize)',
    evidence: [processEvidence(bytes, operations, 'memory of the allocator that V8 does not know of')],
  };
  const words = { pattern: `memory that native code allocates${addonsText(observations.addons)}` };
  return charged(given, words, {
    share: { ...NOTHING, nativeBytes: bytes },
    grounds: { processPart: true, everyRound: true },
    observations,
    leak,
  });
}

function processEvidence(bytes: number, operations: number, what: string): Suspect['evidence'][number] {
  return {
    source: 'process',
    statement: `${what} grew by ${formatBytes(bytes)} in ${operations} operations`,
    bytesPerOperation: bytes / operations,
    countPerOperation: null,
  };
}

function onlyAddon(addons: readonly string[]): Suspect['package'] {
  const owners = new Map(
    addons.flatMap((path) => {
      const owner = packageOf(path);
      return owner ? [[owner.name, owner] as const] : [];
    }),
  );
  return owners.size === 1 ? ([...owners.values()][0] ?? null) : null;
}

function addonsText(addons: readonly string[]): string {
  const names = [
    ...new Set(
      addons.flatMap((path) => {
        const owner = packageOf(path);
        return owner ? [ownerText(owner)] : [];
      }),
    ),
  ];
  return names.length === 0 ? '' : `; native addons loaded: ${names.join(', ')}`;
}
