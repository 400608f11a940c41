import type { NativeTask } from '../native.js';

/** How far a piece of work is. */
export interface HeapProgress {
  /** In plain words: `parsing`, `dominators`, ... */
  phase: string;
  /** Of that phase. */
  percent: number;
}

export interface FollowOptions {
  /** Ends the work within milliseconds, with INTERRUPTED. */
  signal?: AbortSignal | undefined;
  /** Called about ten times a second while the work goes on, and once when it is done. */
  onProgress?: ((progress: HeapProgress) => void) | undefined;
}

const PROGRESS_INTERVAL_MS = 100;

/** The task's result, with its progress reported and the signal passed on. */
export async function follow<Result>(
  task: NativeTask<Result>,
  { signal, onProgress }: FollowOptions,
): Promise<Result> {
  const cancel = () => task.cancel();
  const timer = onProgress && setInterval(() => onProgress(task.progress()), PROGRESS_INTERVAL_MS);
  // The task keeps the process alive, and nothing else should.
  timer?.unref();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    const result = await task.result;
    onProgress?.({ ...task.progress(), percent: 100 });
    return result;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
  }
}
