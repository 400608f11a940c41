import { z } from 'zod';

const PlaceSchema = z
  .object({
    script: z.string().describe('file or URL; the source file where a source map was found'),
    line: z.number().int().positive(),
    column: z.number().int().positive(),
    isGenerated: z
      .boolean()
      .optional()
      .describe('true: a position in generated code, because its source map is missing or wrong'),
  })
  .describe('a place in a script, counted from one');

export const SuspectKind = z.enum([
  'collection',
  'listeners',
  'timers',
  'promises',
  'closures',
  'contexts',
  'strings',
  'objects',
  'arc',
  'guard',
  'resource',
  'counter',
  'array-buffers',
  'external',
  'native',
  'code',
  'stacks',
]);
export type SuspectKind = z.infer<typeof SuspectKind>;

/** One observation that speaks of a cause; suspects are joined from several. */
export const EvidenceSchema = z.object({
  source: z
    .enum(['floor', 'heap-diff', 'allocation-site', 'counter', 'reference', 'process'])
    .describe('which measurement it comes from'),
  statement: z.string().describe('what was observed, in a sentence'),
  bytesPerOperation: z.number().nullable(),
  countPerOperation: z.number().nullable().describe('objects, entries or references per operation'),
});
export type Evidence = z.infer<typeof EvidenceSchema>;

/** What is suspected of the growth, structured; `statement` says it to a person. */
export const SuspectSchema = z.object({
  kind: SuspectKind,
  statement: z
    .string()
    .describe('who holds it, who put it there, how much per operation, how sure, what to do'),
  className: z.string().nullable().describe('of what accumulates'),
  retainingPath: z.string().nullable().describe('from a root to what accumulates'),
  holder: PlaceSchema.nullable().describe('where the holder, or a function beside it, is written'),
  allocationSite: PlaceSchema.nullable().describe('where what accumulates is allocated'),
  package: z
    .object({ name: z.string(), version: z.string().nullable() })
    .nullable()
    .describe('the installed package that owns the line; null: the program itself, or unknown'),
  counters: z.array(z.string()).describe('counters that move with it'),
  bytesPerOperation: z.number().nullable(),
  countPerOperation: z.number().nullable(),
  share: z
    .number()
    .nullable()
    .describe('of the measured growth that it explains, 0 to 1; null: not in bytes'),
  confidence: z.number().min(0).max(1),
  fingerprint: z.string().nullable().describe('the same for the same leak in another run'),
  advice: z.string(),
  evidence: z.array(EvidenceSchema),
});
export type Suspect = z.infer<typeof SuspectSchema>;

export const LedgerEntrySchema = z.object({
  name: z.string(),
  bytesPerOperation: z.number().describe('negative: shrank'),
});

/** Measured growth on one side, what explains it on the other; the entries sum to the growth. */
export const LedgerSchema = z.object({
  measuredBytesPerOperation: z.number(),
  entries: z.array(LedgerEntrySchema).describe('suspects first, then the rest by what it is'),
  explainedShare: z.number().describe('of the growth that suspects explain, 0 to 1'),
  operations: z.number().int().nonnegative().describe('between the first and the last snapshot'),
  lacks: z.array(z.string()).describe('what the diagnosis had to do without, and why'),
});
export type Ledger = z.infer<typeof LedgerSchema>;
