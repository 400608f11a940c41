import { CrucibleMemoryError, messageOf } from '../errors.js';
import { arrayElements } from './json-stream.js';
import type { ProcessSeries, SignalName } from './process-series.js';

/** Which series of which server, over which time. */
export interface PrometheusRequest {
  /** Of the server, with or without a path: http://prometheus:9090 */
  url: string;
  /** PromQL whose result is a vector: each series of it is one of ours. */
  query: string;
  rangeMs: number;
  /** Default: now. */
  endEpochMs?: number;
  /** Default: what gives a thousand points, at least a second. */
  stepMs?: number;
  signal?: AbortSignal;
}

/** Prometheus itself gives at most 11,000; more than this say no more. */
const POINTS = 1000;

/** Metrics of which it is known what they are; every other is judged as resident memory is. */
const SIGNAL_BY_METRIC: Record<string, SignalName> = {
  nodejs_heap_size_used_bytes: 'heapUsed',
  nodejs_heap_size_total_bytes: 'heapTotal',
};

/**
 * The series of a range query, one after the other as the answer arrives: its
 * text is never whole in memory, so that ten thousand series need no more than
 * one. Works with whatever speaks the HTTP API of Prometheus (Thanos, Mimir,
 * VictoriaMetrics).
 *
 * @throws CrucibleMemoryError PROMETHEUS_UNREACHABLE, PROMETHEUS_REFUSED
 */
export async function* readPrometheus(request: PrometheusRequest): AsyncGenerator<ProcessSeries> {
  const response = await ask(request);
  if (!response.ok || response.body === null) throw await refused(request, response);
  let found = 0;
  try {
    for await (const element of arrayElements(response.body, 'result')) {
      found++;
      yield seriesOf(element, request);
    }
  } catch (error) {
    if (error instanceof CrucibleMemoryError) throw error;
    throw unreachable(request, error);
  }
  if (found === 0) {
    throw new CrucibleMemoryError('PROMETHEUS_REFUSED', {
      what: `the query returned no series: ${request.query}`,
      why: 'nothing matches it in this time',
      fix: 'try the query in the web interface of Prometheus, or a longer --range',
    });
  }
}

async function ask(request: PrometheusRequest): Promise<Response> {
  const end = (request.endEpochMs ?? Date.now()) / 1000;
  const step = Math.max(1, (request.stepMs ?? request.rangeMs / POINTS) / 1000);
  let address: URL;
  try {
    address = new URL('api/v1/query_range', request.url.endsWith('/') ? request.url : `${request.url}/`);
  } catch (error) {
    throw new CrucibleMemoryError('PROMETHEUS_UNREACHABLE', {
      what: `${request.url} is no URL`,
      why: messageOf(error),
      fix: 'give the address of the server, such as http://localhost:9090',
      cause: error,
    });
  }
  const body = new URLSearchParams({
    query: request.query,
    start: String(end - request.rangeMs / 1000),
    end: String(end),
    step: String(step),
  });
  try {
    return await fetch(address, { method: 'POST', body, ...(request.signal && { signal: request.signal }) });
  } catch (error) {
    throw unreachable(request, error);
  }
}

function unreachable({ url }: PrometheusRequest, error: unknown): CrucibleMemoryError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new CrucibleMemoryError('PROMETHEUS_UNREACHABLE', {
    what: `no answer from ${url}`,
    why: messageOf(cause),
    fix: 'check the address, and that the server can be reached from here (curl URL/-/ready)',
    cause: error,
  });
}

async function refused({ url, query }: PrometheusRequest, response: Response): Promise<CrucibleMemoryError> {
  const text = (await response.text()).slice(0, 2000);
  let why = `${response.status} ${response.statusText}`;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') why = error;
  } catch {
    // Not Prometheus' own answer: the status has to do.
  }
  return new CrucibleMemoryError('PROMETHEUS_REFUSED', {
    what: `${url} refused the query ${query}`,
    why,
    fix: 'try the query in the web interface of Prometheus; it must give an instant vector',
  });
}

function seriesOf(element: unknown, { query }: PrometheusRequest): ProcessSeries {
  const { metric, values } = element as {
    metric?: Record<string, string>;
    values?: [number, string][];
  };
  if (metric === undefined || !Array.isArray(values)) {
    throw new CrucibleMemoryError('PROMETHEUS_REFUSED', {
      what: 'the answer is no range of samples',
      why: `an element of it is ${JSON.stringify(element).slice(0, 200)}`,
      fix: 'give a query whose result is an instant vector',
    });
  }
  const { __name__: name, ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const signal = SIGNAL_BY_METRIC[name ?? ''] ?? 'rss';
  return {
    id: `${name ?? query}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''}`,
    timesMs: Float64Array.from(values, ([at]) => at * 1000),
    signals: { [signal]: Float64Array.from(values, ([, value]) => Number(value)) },
  };
}
