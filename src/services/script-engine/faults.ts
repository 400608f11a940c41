import type { Faults } from '../fault.js';

export const SCRIPT_ENGINE_FAULTS = {
  'unbounded-cache': {
    what: 'results are remembered by script and input, and none is ever forgotten',
    memory: 'heap',
    culprits: ['#remembered'],
    perOperation: { count: 1 },
  },
  'contexts-kept': {
    what: 'the context in which a script was tried before it was cached is kept',
    memory: 'heap',
    culprits: ['#trialContexts', 'native_contexts_count'],
    // Every 32nd call is for one of the rule tables, which the cache cannot hold all.
    perOperation: { count: 1 / 32 },
  },
  'code-cache-by-key': {
    what: 'the code that V8 has after an execution is kept under a key that is new every time',
    memory: 'external',
    culprits: ['#codeByExecution'],
    perOperation: { count: 1 },
  },
  'guard-never-released': {
    what: 'the lock on the journal is never released, and every entry waits for it',
    memory: 'heap',
    culprits: ['ScriptEngine.journal', '#journal'],
    perOperation: { count: 1 },
  },
} as const satisfies Faults;

export type ScriptEngineFault = keyof typeof SCRIPT_ENGINE_FAULTS;
