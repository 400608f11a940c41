import { fileURLToPath } from 'node:url';
import type { SnapshotMode } from './agent-snapshot.js';

/**
 * What `record` tells the agent inside the program, and how it gets the agent in there: through the
 * environment, so that it reaches child processes, cluster workers and worker threads as well, behind
 * whatever launcher (npm, npx, a shell).
 */
export interface AgentOptions {
  /** Where the recordings and their index go. An absolute path. */
  folder: string;
  /** RSS samples a second. */
  rateHz: number;
  /** Shortest time between two readings of PSS and the like, milliseconds. */
  detailIntervalMs: number;
  /** Size of a recording beyond which its oldest samples are summarised; absent: it may grow. */
  recordingBytesMax?: number;
  /** Forces a full collection so often, for points of the floor; 0: never, only V8's own count. */
  collectEveryMs: number;
  /** Writes a heap snapshot beside the recording when the program ends, unless one was asked for before. */
  snapshotAtExit?: boolean;
  /** How the snapshots are taken that are asked for while it runs. Default: plain. */
  snapshotMode?: SnapshotMode;
  /** Mean number of allocated bytes between two samples of the allocation profile; 0 or absent: none. */
  allocationIntervalBytes?: number;
  /** A heap snapshot before memory runs out, where one fits. The profile of then needs no asking. */
  snapshotNearLimit?: boolean;
}

// Not CRUCIBLE_MEMORY_*: those are settings of the configuration.
const VARIABLE = 'CRUCIBLE_AGENT';

/** The environment in which Node programs record themselves. What NODE_OPTIONS holds already stays. */
export function environmentWithAgent(env: NodeJS.ProcessEnv, options: AgentOptions): NodeJS.ProcessEnv {
  const preload = `--require ${quoted(preloadPath())}`;
  const others = (env.NODE_OPTIONS ?? '').replace(preload, '').trim();
  return {
    ...env,
    NODE_OPTIONS: others === '' ? preload : `${preload} ${others}`,
    [VARIABLE]: JSON.stringify(options),
  };
}

/** Undefined when nobody asked for a recording. Throws SyntaxError for what is no JSON. */
export function agentOptionsIn(env: NodeJS.ProcessEnv): AgentOptions | undefined {
  const text = env[VARIABLE];
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as AgentOptions);
}

/** As Node reads NODE_OPTIONS: blanks separate, double quotes hold together, backslashes escape in them. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&')}"`;
}

function preloadPath(): string {
  return fileURLToPath(new URL('./agent-preload.cjs', import.meta.url));
}
