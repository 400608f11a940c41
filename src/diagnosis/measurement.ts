import { z } from 'zod';

const bytes = (description: string) => z.number().int().optional().describe(`${description}, bytes`);
const count = (description: string) => z.number().int().nonnegative().optional().describe(description);

/**
 * What memory looked like at one moment. Every figure was measured or reported
 * by the program itself; one that could not be had is absent, never zero.
 */
export const MemoryMeasurementSchema = z.object({
  timestamp: z.iso.datetime().describe('wall-clock time of the measurement'),
  elapsedMs: z.number().nonnegative().describe('time since the recording began, milliseconds'),
  phase: z.string().optional().describe('the phase of the scenario'),
  totalMemoryBytes: bytes('resident set size of the process'),
  heapMemoryBytes: bytes('V8 heap in use plus external memory'),
  stackMemoryBytes: bytes('resident part of all thread stacks, read from the memory map'),
  cacheMemoryBytes: bytes("the target's caches, from its own books"),
  connectionMemoryBytes: bytes("the target's connections, from its own books"),
  arcRefCount: count('strong references held through Arc'),
  activeTasks: count('operations that have begun and not ended'),
  customMetrics: z
    .record(z.string(), z.number())
    .describe('everything else that the target reports or the sampler reads, by name'),
});
export type MemoryMeasurement = z.infer<typeof MemoryMeasurementSchema>;
