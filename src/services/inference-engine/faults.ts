import type { Faults } from '../fault.js';

export const INFERENCE_ENGINE_FAULTS = {
  'model-not-released': {
    what: 'a model that is unloaded is put aside with the reference that keeps it in memory',
    memory: 'native',
    culprits: ['#retired', 'InferenceEngine.model', 'InferenceEngine.session'],
    perOperation: { count: 1 / 1024 },
  },
  'request-buffers-kept': {
    what: 'the samples of every inference are copied for a repetition that never comes',
    memory: 'external',
    culprits: ['#requestBuffers'],
    // Of 8 operations 5 have a row of 512 samples, 2 have 8 rows, and 1 is a chat.
    perOperation: { count: 7 / 8, bytes: ((5 + 2 * 8) * 512 * Float32Array.BYTES_PER_ELEMENT) / 8 },
  },
  'connections-not-returned': {
    what: 'every completion opens a connection of its own, which stays open',
    memory: 'heap',
    culprits: ['#strayClients', 'InferenceEngine.connection'],
    perOperation: { count: 1 / 8 },
  },
} as const satisfies Faults;

export type InferenceEngineFault = keyof typeof INFERENCE_ENGINE_FAULTS;
