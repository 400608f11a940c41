import type { EventEmitter } from 'node:events';
import type { ListrTask, ListrTaskWrapper } from 'listr2';
import { createColors } from 'picocolors';
import type { PlannedTest, RunnerEvents } from '../runner/progress.js';
import { STOPPING } from './interruption.js';
import { type ProgressDisplay, RunProgress, type TestState } from './run-progress.js';
import type { Screen } from './terminal.js';
import {
  finishedText,
  overallText,
  type Paint,
  runningText,
  scenarioColumn,
  targetText,
} from './test-line.js';

/** Four times a second, like the runner's own progress: drawing must not compete with what is measured. */
const REDRAW_MS = 250;

type Listr2 = typeof import('listr2');
type Task = ListrTask<unknown, Listr2['DefaultRenderer'], Listr2['DefaultRenderer']>;
type Wrapper = ListrTaskWrapper<unknown, Listr2['DefaultRenderer'], Listr2['DefaultRenderer']>;

/** The run as a tree: targets, their tests, and how far everything is. Goes away when the run ends. */
export async function showTree(
  runner: EventEmitter<RunnerEvents>,
  stream: NodeJS.WriteStream,
  screen: Screen,
  signal: AbortSignal,
): Promise<ProgressDisplay> {
  // Loaded only where it is shown: it takes longer to load than the rest of the command line.
  const listr2 = await import('listr2');
  const tree = new Tree(listr2, stream, createColors(screen.colour), signal);
  runner.on('plan', (plan) => tree.plan(plan));
  runner.on('testStart', (test) => tree.redraw(tree.progress.started(test)));
  runner.on('progress', (update) => tree.redraw(tree.progress.progressed(update)));
  runner.on('testEnd', (result) => tree.end(tree.progress.ended(result)));
  return tree;
}

class Tree implements ProgressDisplay {
  progress = new RunProgress([]);
  readonly #listr2: Listr2;
  readonly #stream: NodeJS.WriteStream;
  readonly #paint: Paint;
  readonly #signal: AbortSignal;
  readonly #endings = new Map<TestState, PromiseWithResolver>();
  readonly #wrappers = new Map<TestState, Wrapper>();
  #target: Wrapper | undefined;
  #drawing: Promise<unknown> = Promise.resolve();

  constructor(listr2: Listr2, stream: NodeJS.WriteStream, paint: Paint, signal: AbortSignal) {
    this.#listr2 = listr2;
    this.#stream = stream;
    this.#paint = paint;
    this.#signal = signal;
  }

  plan(plan: readonly PlannedTest[]): void {
    this.progress = new RunProgress(plan);
    for (const test of this.progress.tests) this.#endings.set(test, withResolver());
    const { Listr, DefaultRenderer, ListrLogger, ProcessOutput, Spinner } = this.#listr2;

    class TerminalRenderer extends DefaultRenderer {
      // Whether there is a terminal was decided by the stream that is drawn to, not by stdout.
      static override nonTTY = true;
    }
    class CalmSpinner extends Spinner {
      override start(draw?: () => void): void {
        super.start(draw, REDRAW_MS);
      }
    }
    const list = new Listr(this.#targetTasks(), {
      renderer: TerminalRenderer,
      fallbackRenderer: TerminalRenderer,
      registerSignalListeners: false,
      exitOnError: false,
      rendererOptions: {
        clearOutput: true,
        formatOutput: 'truncate',
        showErrorMessage: false,
        spinner: new CalmSpinner(),
        logger: new ListrLogger({
          useIcons: true,
          processOutput: new ProcessOutput(this.#stream as typeof process.stderr, process.stdout),
        }),
        icon: { SKIPPED_WITH_COLLAPSE: '~', OUTPUT_WITH_BOTTOMBAR: '' },
      },
    });
    this.#drawing = list.run();
  }

  redraw(test: TestState | undefined): void {
    const wrapper = test && this.#wrappers.get(test);
    if (!wrapper) return;
    wrapper.title = `${scenarioColumn(test.planned.scenario)}  ${runningText(test, this.#paint)}`;
    const overall = this.#signal.aborted
      ? this.#paint.yellow(STOPPING)
      : this.#paint.dim(overallText(this.progress));
    if (this.#target) this.#target.output = overall;
  }

  end(test: TestState | undefined): void {
    if (test) this.#endings.get(test)?.resolve();
  }

  async finish(): Promise<void> {
    for (const { resolve } of this.#endings.values()) resolve();
    await this.#drawing;
  }

  #targetTasks(): Task[] {
    const targets: TestState[][] = [];
    for (const test of this.progress.tests) {
      const last = targets.at(-1);
      if (last?.[0]?.planned.target === test.planned.target) last.push(test);
      else targets.push([test]);
    }
    return targets.map((tests) => ({
      title: tests[0]?.planned.target ?? '',
      rendererOptions: { bottomBar: 1 },
      task: (_context, wrapper) => {
        this.#target = wrapper;
        return wrapper.newListr(
          tests.map((test) => this.#testTask(test, tests)),
          { exitOnError: false, concurrent: false },
        );
      },
    }));
  }

  #testTask(test: TestState, ofTarget: readonly TestState[]): Task {
    return {
      title: test.planned.scenario,
      task: async (_context, wrapper) => {
        this.#wrappers.set(test, wrapper);
        this.redraw(test);
        await this.#endings.get(test)?.promise;
        const { result, planned, trace } = test;
        if (!result) return wrapper.skip(`${planned.scenario} was not carried out`);
        const title = `${scenarioColumn(planned.scenario)}  ${finishedText(result, trace, this.#paint)}`;
        wrapper.title = title;
        if (this.#target) this.#target.title = `${planned.target}  ${targetText(ofTarget, this.#paint)}`;
        // The renderer's marks: ✖ for an error, ~ for a skipped task. Neither is one here.
        if (result.status !== 'passed') throw new Error(title);
        if (result.leakDetection.verdict === 'inconclusive') wrapper.skip(title);
      },
    };
  }
}

interface PromiseWithResolver {
  promise: Promise<void>;
  resolve: () => void;
}

function withResolver(): PromiseWithResolver {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
