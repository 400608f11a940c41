import type { HeapProgress } from '../snapshot/index.js';
import type { Screen } from './terminal.js';

const BACK_AND_CLEAR = '\r\u001b[2K';

/** One line on a terminal that is drawn over: the phase, and how far it is. Elsewhere nothing. */
export class HeapProgressLine {
  readonly #stream: NodeJS.WritableStream;
  readonly #isShown: boolean;
  #isDrawn = false;

  constructor(stream: NodeJS.WritableStream, screen: Screen, quiet: boolean | undefined) {
    this.#stream = stream;
    this.#isShown = screen.redraws && !quiet;
  }

  /** To be handed over as onProgress. */
  readonly draw = ({ phase, percent }: HeapProgress): void => {
    if (!this.#isShown) return;
    this.#isDrawn = true;
    this.#stream.write(`${BACK_AND_CLEAR}${phase} ${Math.floor(percent)} %`);
  };

  /** Afterwards the stream may be written to again. */
  clear(): void {
    if (this.#isDrawn) this.#stream.write(BACK_AND_CLEAR);
    this.#isDrawn = false;
  }
}
