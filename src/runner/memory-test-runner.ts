import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import {
  checkConfig,
  type MemoryTestConfig,
  type MemoryTestConfigInput,
  publicConfig,
} from '../config/index.js';
import type { Environment, MemoryTestResult, RunReport } from '../diagnosis/index.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';
import { loadCore } from '../native.js';
import { suggestion } from '../nearest-name.js';
import { makeFolder, unwritable, writeReport } from '../report/index.js';
import { SERVICE_TYPES, type ServiceType, TEST_SCENARIOS, type TestScenario } from '../vocabulary.js';
import { writeChart } from './charts.js';
import { readEnvironment } from './environment.js';
import type { TargetSpec } from './messages.js';
import { type PlantedLeak, plantedLeak } from './planted-leaks.js';
import type { PlannedTest, RunnerEvents } from './progress.js';
import { withTestData } from './test-data.js';
import { planTest, runTest } from './test-run.js';

export interface RunnerOptions {
  /** Name of the profile that the configuration came from; shown in the report. */
  profile?: string;
  /** Services by name, or paths of target modules. Default: the four services. */
  targets?: string[];
  /** Default: all eight. */
  scenarios?: TestScenario[];
  /** A leak to switch on in the service that it is in; without targets only that service is run. */
  inject?: string;
  /** Where recordings and charts go. Default: reporting.outputDirectory. */
  outputDirectory?: string;
  /** Aborting ends the running test without a result and starts no other. */
  signal?: AbortSignal;
}

/**
 * Runs services and target modules through the scenarios, one process a test,
 * one test after the other, and judges what was recorded.
 *
 * @example
 * const runner = await MemoryTestRunner.create({ testDurations: { shortTestSeconds: 60 } });
 * const results = await runner.runComprehensiveTests();
 * await runner.exportResults(results, 'memory_test_results.json');
 */
export class MemoryTestRunner extends EventEmitter<RunnerEvents> {
  readonly config: MemoryTestConfig;
  readonly #options: RunnerOptions;
  readonly #planted: PlantedLeak | undefined;
  readonly #environment: Environment;
  readonly #startTime = new Date();
  #plannedCount = 0;
  #interrupted = false;

  /**
   * @throws ConfigError for a wrong configuration; ADDON_MISSING; UNKNOWN_NAME
   * for a service, scenario or planted leak that does not exist; USAGE for one
   * whose service is not among the targets
   */
  static async create(
    config: MemoryTestConfigInput = {},
    options: RunnerOptions = {},
  ): Promise<MemoryTestRunner> {
    loadCore();
    for (const scenario of options.scenarios ?? []) requireScenario(scenario);
    return new MemoryTestRunner(checkConfig(config), options);
  }

  private constructor(config: MemoryTestConfig, options: RunnerOptions) {
    super();
    this.config = config;
    this.#options = options;
    this.#planted = options.inject === undefined ? undefined : plantedLeak(options.inject);
    if (options.targets) targetSpecs(options.targets, this.#planted);
    this.#environment = readEnvironment();
  }

  /** What runComprehensiveTests() will do, in its order. */
  plan(): PlannedTest[] {
    return this.#tests().map(({ target, scenario }) => planTest(target, scenario, this.config));
  }

  /** Every planned test. A test that cannot be carried out has a `failed` result; the others go on. */
  async runComprehensiveTests(): Promise<MemoryTestResult[]> {
    const tests = this.#tests();
    this.#plannedCount = tests.length;
    this.emit('plan', this.plan());
    const results: MemoryTestResult[] = [];
    for (const { target, scenario } of tests) {
      if (this.#options.signal?.aborted) break;
      const result = await this.#run(target, scenario, this.config);
      if (result !== null) results.push(result);
    }
    this.#interrupted = this.#options.signal?.aborted ?? false;
    return results;
  }

  /**
   * One test. `testData` changes the configuration for it: payloadSizeMb,
   * payloadSizeBytes, iterations, concurrency, operationsPerSecond, durationSeconds.
   * @throws UNKNOWN_NAME, CONFIG_INVALID; INTERRUPTED when the signal was aborted
   */
  async runTestScenario(
    service: ServiceType | (string & {}),
    scenario: TestScenario,
    testData: Record<string, unknown> = {},
  ): Promise<MemoryTestResult> {
    requireScenario(scenario);
    this.#plannedCount = 1;
    const [target] = targetSpecs([service], this.#planted) as [TargetSpec];
    const result = await this.#run(target, scenario, withTestData(this.config, testData));
    if (result !== null) return result;
    this.#interrupted = true;
    throw new CrucibleMemoryError('INTERRUPTED', {
      what: `${service} in ${scenario} was not finished`,
      why: 'the signal was aborted',
      fix: 'run it again',
    });
  }

  /** Everything that is known of the results, as exportResults() writes it. */
  report(results: MemoryTestResult[]): RunReport {
    const counted = (predicate: (result: MemoryTestResult) => boolean) => results.filter(predicate).length;
    return {
      schemaVersion: 1,
      tool: 'crucible-memory',
      startTime: this.#startTime.toISOString(),
      endTime: new Date().toISOString(),
      profile: this.#options.profile ?? 'standard',
      interrupted: this.#interrupted,
      environment: this.#environment,
      config: publicConfig(this.config),
      summary: {
        tests: results.length,
        passed: counted(({ status }) => status === 'passed'),
        violated: counted(({ status }) => status === 'violated'),
        failed: counted(({ status }) => status === 'failed'),
        leaks: counted(({ leakDetection }) => leakDetection.leakDetected),
        inconclusive: counted(
          ({ status, leakDetection }) => status !== 'failed' && leakDetection.verdict === 'inconclusive',
        ),
        notRun: Math.max(0, this.#plannedCount - results.length),
      },
      results,
    };
  }

  /**
   * Writes the report as JSON; paths of recordings become relative to it.
   * @throws OUTPUT_UNWRITABLE
   */
  async exportResults(results: MemoryTestResult[], path: string): Promise<void> {
    const folder = dirname(resolve(path));
    const relocated = results.map((result) => ({
      ...result,
      recording: relativeTo(folder, result.recording),
    }));
    await writeReport(this.report(relocated), path);
  }

  #tests(): { target: TargetSpec; scenario: TestScenario }[] {
    const everything = this.#planted ? [this.#planted.service] : SERVICE_TYPES;
    const { targets = everything, scenarios = TEST_SCENARIOS } = this.#options;
    return targetSpecs(targets, this.#planted).flatMap((target) =>
      scenarios.map((scenario) => ({ target, scenario })),
    );
  }

  async #run(
    target: TargetSpec,
    scenario: TestScenario,
    config: MemoryTestConfig,
  ): Promise<MemoryTestResult | null> {
    const planned = planTest(target, scenario, config);
    const { directory, isTemporary } = await this.#recordingDirectory();
    this.emit('testStart', planned);
    const result = await runTest({
      target,
      scenario,
      config,
      recordingDirectory: directory,
      signal: this.#options.signal ?? new AbortController().signal,
      onProgress: (progress) => this.emit('progress', progress),
      onLook: (look) => this.emit('look', planned.testId, look),
      onLog: (line) => {
        if (config.reporting.detailedLogging) this.emit('log', planned.testId, line);
      },
    });
    if (result === null) return null;
    if (isTemporary) return this.#finish(await withoutRecording(result, directory));
    if (config.reporting.generateCharts && result.recording !== null)
      await this.#chart(result, result.recording);
    return this.#finish(result);
  }

  #finish(result: MemoryTestResult): MemoryTestResult {
    if (this.config.reporting.enableAlerts) {
      for (const violation of result.thresholdViolations) this.emit('alert', result, violation);
    }
    this.emit('testEnd', result);
    return result;
  }

  /** A chart that cannot be drawn is no reason to lose the result. */
  async #chart(result: MemoryTestResult, recordingPath: string): Promise<void> {
    try {
      await writeChart(result, recordingPath);
    } catch (thrown) {
      this.emit('log', result.testId, `no chart: ${messageOf(thrown)}`);
    }
  }

  async #recordingDirectory(): Promise<{ directory: string; isTemporary: boolean }> {
    const { exportToFile, outputDirectory } = this.config.reporting;
    if (!exportToFile && this.#options.outputDirectory === undefined) {
      return { directory: await mkdtemp(join(tmpdir(), 'crucible-memory-')), isTemporary: true };
    }
    const directory = resolve(this.#options.outputDirectory ?? outputDirectory, 'recordings');
    try {
      makeFolder(directory);
    } catch (thrown) {
      throw unwritable(directory, thrown);
    }
    return { directory, isTemporary: false };
  }
}

/** The recording of a failed test is evidence and stays; the others go with their folder. */
async function withoutRecording(result: MemoryTestResult, directory: string): Promise<MemoryTestResult> {
  if (result.status === 'failed') return result;
  await rm(directory, { recursive: true, force: true });
  return { ...result, recording: null };
}

function relativeTo(folder: string, recording: string | null): string | null {
  if (recording === null) return null;
  const path = relative(folder, recording);
  return path.startsWith('..') || isAbsolute(path) ? recording : path;
}

/** Results are filed by name: modules of one base name go by their paths. */
function targetSpecs(targets: string[], planted: PlantedLeak | undefined): TargetSpec[] {
  if (planted && !targets.includes(planted.service)) throw notAmongTargets(planted, targets);
  const baseNames = targets.map((target) => basename(target, extname(target)));
  return targets.map((target, i) => {
    const isUnique = baseNames.filter((name) => name === baseNames[i]).length === 1;
    return targetSpec(target, isUnique ? (baseNames[i] ?? target) : target, planted);
  });
}

/** A service's name is a service; anything else that looks like a path is a module. */
function targetSpec(target: string, name: string, planted: PlantedLeak | undefined): TargetSpec {
  const service = SERVICE_TYPES.find((type) => type === target);
  if (service !== undefined)
    return { kind: 'service', service, ...(planted?.service === service && { fault: planted.name }) };
  if (/[./\\]/.test(target)) return { kind: 'module', path: resolve(target), name };
  throw new CrucibleMemoryError('UNKNOWN_NAME', {
    what: `there is no service "${target}"`,
    why: suggestion(target, SERVICE_TYPES),
    fix: 'name one of the services, or give the path of a target module (./target.mjs)',
  });
}

function notAmongTargets({ name, service }: PlantedLeak, targets: string[]): CrucibleMemoryError {
  return new CrucibleMemoryError('USAGE', {
    what: `the leak "${name}" cannot be planted`,
    why: `it is one of ${service}, and only ${targets.join(', ')} would be run`,
    fix: `leave out the targets, or name ${service} among them`,
  });
}

function requireScenario(scenario: string): void {
  if ((TEST_SCENARIOS as string[]).includes(scenario)) return;
  throw new CrucibleMemoryError('UNKNOWN_NAME', {
    what: `there is no scenario "${scenario}"`,
    why: suggestion(scenario, TEST_SCENARIOS),
    fix: `use one of ${TEST_SCENARIOS.join(', ')}`,
  });
}
