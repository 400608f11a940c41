import type { Look } from '../diagnose.js';
import { type Recording, readRecording } from '../recording/index.js';
import { Phase } from '../vocabulary.js';
import type { EndLoad } from './child-process.js';

export interface OnlookerOptions {
  recordingPath: string;
  look: (soFar: Recording) => Look | undefined;
  onLook: (look: Look) => void;
}

const FIRST_LOOK_MS = 5000;
/** Until there is enough for a first verdict, a look is tried this much later each time. */
const TRIED_AGAIN = 1.2;

/**
 * Reads the recording of a running test from outside, at growing intervals,
 * and has its load ended when the judge says that enough was seen. The test
 * itself notices nothing of it but the end.
 */
export class Onlooker {
  readonly #options: OnlookerOptions;
  #loadBeganMs: number | undefined;
  #nextLookMs = FIRST_LOOK_MS;
  #isReading = false;
  #isOver = false;

  constructor(options: OnlookerOptions) {
    this.#options = options;
  }

  /** Called for every sign of life of the test. */
  progressed(phase: Phase, endLoad: EndLoad): void {
    if (phase !== Phase.Load || this.#isReading || this.#isOver) return;
    this.#loadBeganMs ??= performance.now();
    if (performance.now() - this.#loadBeganMs < this.#nextLookMs) return;
    this.#isReading = true;
    void this.#look(endLoad).finally(() => {
      this.#isReading = false;
    });
  }

  async #look(endLoad: EndLoad): Promise<void> {
    // A recording that cannot be read now is looked at later; at the end it says why.
    const recording = await readRecording(this.#options.recordingPath).catch(() => undefined);
    const look = recording && this.#options.look(recording);
    this.#nextLookMs = look?.nextLookMs ?? this.#nextLookMs * TRIED_AGAIN;
    if (look === undefined) return;
    this.#options.onLook(look);
    if (!look.mayStop || look.verdict === 'inconclusive') return;
    this.#isOver = true;
    endLoad(look.verdict, look.reason);
  }
}
