import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { unavailable } from '../refusals.js';
import type { LoadedModel, Runtime } from './model-cache.js';

/**
 * Samples in, scores out: cuts samples into the rows that a model takes, runs
 * the rows in batches and collects the first output.
 *
 * Rows are run 32 at a time: from there on a larger batch is no faster per row,
 * but the runtime keeps the memory that its largest batch needed.
 */
const MAX_ROWS = 32;

/** Which inputs a model has is in its metadata; how long a row is of an open dimension is not. */
const SAMPLES_PER_OPEN_DIMENSION = 1;
const SILERO_V5_SAMPLES = 512;
const SILERO_LEGACY_SAMPLES = 1536;
const SAMPLE_RATE_HZ = 16_000n;

/** @returns a score a row. Rejects with SERVICE_UNAVAILABLE when the model cannot be fed with samples. */
export async function runBatches(
  runtime: Runtime,
  model: LoadedModel,
  samples: Float32Array,
): Promise<Float32Array> {
  const inputs = tensorInputs(model.session);
  const samplesPerRow = samplesPerRowOf(inputs);
  const rows = Math.max(1, Math.floor(samples.length / samplesPerRow));
  const scores = new Float32Array(rows);
  for (let from = 0; from < rows; from += MAX_ROWS) {
    const count = Math.min(MAX_ROWS, rows - from);
    const part = rowsOf(samples, from * samplesPerRow, count * samplesPerRow);
    const feeds = Object.fromEntries(
      inputs.map((input) => [
        input.name,
        tensorFor(runtime, input, count, input === inputs[0] ? part : undefined),
      ]),
    );
    const outputs = await run(model, feeds);
    const first = Object.values(outputs)[0];
    if (first) readScores(first, scores.subarray(from, from + count));
    for (const tensor of [...Object.values(feeds), ...Object.values(outputs)]) tensor.dispose();
  }
  return scores;
}

type TensorInput = InferenceSession.TensorValueMetadata;

/** The inputs, the one that takes the samples first: the first of floats. */
function tensorInputs(session: InferenceSession): TensorInput[] {
  const inputs = session.inputMetadata.filter((input): input is TensorInput => input.isTensor);
  const samples = inputs.find(({ type, shape }) => type === 'float32' && shape.length > 0) ?? inputs[0];
  return samples ? [samples, ...inputs.filter((input) => input !== samples)] : [];
}

function samplesPerRowOf(inputs: TensorInput[]): number {
  const names = new Set(inputs.map(({ name }) => name));
  if (names.has('state') && names.has('sr')) return SILERO_V5_SAMPLES;
  if (names.has('h') && names.has('c') && names.has('sr')) return SILERO_LEGACY_SAMPLES;
  const [, ...rest] = inputs[0]?.shape ?? [];
  return rest.reduce<number>((size, dimension) => size * fixed(dimension, SAMPLES_PER_OPEN_DIMENSION), 1);
}

function fixed(dimension: number | string, open: number): number {
  return typeof dimension === 'number' ? dimension : open;
}

/** A view where there are enough samples; else a copy with silence behind. */
function rowsOf(samples: Float32Array, from: number, length: number): Float32Array {
  if (from + length <= samples.length) return samples.subarray(from, from + length);
  const padded = new Float32Array(length);
  padded.set(samples.subarray(from));
  return padded;
}

/** The samples, or for any other input (a state, a sampling rate) the value it starts with. */
function tensorFor(runtime: Runtime, input: TensorInput, rows: number, samples?: Float32Array): Tensor {
  if (samples) {
    const [, ...rest] = input.shape;
    const inner = rest.every((dimension) => typeof dimension === 'number')
      ? (rest as number[])
      : [samples.length / rows];
    return new runtime.Tensor('float32', samples, [rows, ...inner]);
  }
  const dims = input.shape.map((dimension) => fixed(dimension, rows));
  const size = dims.reduce((product, dimension) => product * dimension, 1);
  switch (input.type) {
    case 'float32':
      return new runtime.Tensor('float32', new Float32Array(size), dims);
    case 'int64':
      return new runtime.Tensor(
        'int64',
        new BigInt64Array(size).fill(input.name === 'sr' ? SAMPLE_RATE_HZ : 0n),
        dims,
      );
    case 'int32':
      return new runtime.Tensor('int32', new Int32Array(size), dims);
    default:
      throw unavailable(
        `the model's input "${input.name}" cannot be fed`,
        'use a model whose inputs are float32, int32 or int64',
        new Error(`it takes ${input.type}`),
      );
  }
}

async function run(model: LoadedModel, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  try {
    return await model.session.run(feeds);
  } catch (error) {
    throw unavailable(
      `the model ${model.path} did not run`,
      'use a model that takes rows of samples, and states that start at zero',
      error,
    );
  }
}

/** The first number of each row. */
function readScores(output: Tensor, into: Float32Array): void {
  const { data } = output;
  if (!(data instanceof Float32Array)) return;
  const perRow = data.length / into.length;
  for (let row = 0; row < into.length; row++) into[row] = data[row * perRow] ?? 0;
}
