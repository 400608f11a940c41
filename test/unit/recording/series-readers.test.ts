import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ProcessSeries } from '../../../src/recording/process-series.js';
import { readCsv } from '../../../src/recording/series-csv.js';
import { readNdjson } from '../../../src/recording/series-ndjson.js';
import { readPrometheus } from '../../../src/recording/series-prometheus.js';

async function all(series: AsyncIterable<ProcessSeries>): Promise<ProcessSeries[]> {
  const found: ProcessSeries[] = [];
  for await (const one of series) found.push(one);
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'crucible-memory-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function fileWith(text: string): string {
  const path = join(folder, 'series');
  writeFileSync(path, text);
  return path;
}

const csv = (text: string) => readCsv(fileWith(text));
const ndjson = (text: string) => all(readNdjson(fileWith(text)));

describe('a CSV', () => {
  test('is read by the names of its columns, units and all', async () => {
    const series = await csv(
      't_s,RSS (MiB),heap_used_kb,mallocInUseBytes,ops,comment\n0,1,2,7,0,x\n0.5,2,,8,10,"a, b"\n',
    );
    assert.deepEqual(Array.from(series.timesMs), [0, 500]);
    assert.deepEqual(Array.from(series.signals.rss ?? []), [1_048_576, 2_097_152]);
    assert.deepEqual(Array.from(series.signals.heapUsed ?? []), [2000, Number.NaN]);
    assert.deepEqual(Array.from(series.signals.mallocInUse ?? []), [7, 8]);
    assert.deepEqual(Array.from(series.operations ?? []), [0, 10]);
  });

  test('may give times as dates, epoch seconds or epoch milliseconds', async () => {
    const first = async (time: string) => (await csv(`timestamp;rss\n${time};1\n`)).timesMs[0];
    assert.equal(await first('2026-01-02T03:04:05Z'), Date.UTC(2026, 0, 2, 3, 4, 5));
    assert.equal(await first('1700000000'), 1.7e12);
    assert.equal(await first('1700000000000'), 1.7e12);
  });

  test('may hold the floor where there was a collection, or repeat it with every sample', async () => {
    const sparse = await csv('t_ms,rss,liveAfterGc\n0,1,\n1,1,5\n2,1,\n3,1,6\n');
    assert.deepEqual(Array.from(sparse.liveAfterGc?.timesMs ?? []), [1, 3]);
    const dense = await csv('t_ms,rss,live_after_gc_bytes\n0,1,5\n1,1,5\n2,1,6\n3,1,6\n');
    assert.deepEqual(Array.from(dense.liveAfterGc?.liveBytes ?? []), [5, 6]);
  });

  test('without a column of time is refused, with its columns', async () => {
    await assert.rejects(csv('rss,ops\n1,2\n'), /no column of time: its columns are rss, ops/);
  });

  test('without memory, with words for numbers, or empty is refused, with where', async () => {
    await assert.rejects(csv('t_ms,ops\n1,2\n'), /no column of memory/);
    await assert.rejects(csv('t_ms,rss\n1,2\n2,lots\n'), /line 3 holds "lots"/);
    await assert.rejects(csv(''), /it is empty/);
    await assert.rejects(readCsv('/nowhere/a.csv'), /cannot be read/);
  });
});

describe('an NDJSON file', () => {
  const line = '{"id":"p1","t_ms":[0,1000],"ops":[0,5],"signals":{"rss":[1,null],"liveAfterGc":[[500,9]]}}';

  test('holds a series a line', async () => {
    const [first, second] = await ndjson(`${line}\n\n${line.replace('p1', 'p2')}\n`);
    assert.equal(first?.id, 'p1');
    assert.deepEqual(Array.from(first?.signals.rss ?? []), [1, Number.NaN]);
    assert.deepEqual(Array.from(first?.liveAfterGc?.liveBytes ?? []), [9]);
    assert.equal(second?.id, 'p2');
  });

  test('is refused with the line and the reason', async () => {
    await assert.rejects(ndjson(`${line}\nnonsense\n`), /line 2 is no JSON/);
    await assert.rejects(ndjson(line.replace('[0,5]', '[0]')), /line 1: ops has 1 values for 2 times/);
    await assert.rejects(ndjson(line.replace('"t_ms":[0,1000],', '')), /line 1, t_ms/);
    await assert.rejects(ndjson(''), /it is empty/);
  });
});

/** What servers answer that are not well; a real Prometheus has its own test in integration. */
async function answering<T>(listener: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('a Prometheus server', () => {
  const request = (url: string) => ({ url, query: 'rss{job="a"}', rangeMs: 3_600_000 });
  const series = (id: number) => ({
    metric: { __name__: 'rss', instance: `a"]}${id}` },
    values: [
      [1000, '5'],
      [1015, 'NaN'],
    ],
  });

  test('that returns ten thousand series is read one by one', async () => {
    const count = 10_000;
    let most = 0;
    await answering(
      (_, response) => {
        response.write('{"status":"success","data":{"resultType":"matrix","result":[');
        for (let i = 0; i < count; i++) response.write(`${i > 0 ? ',' : ''}${JSON.stringify(series(i))}`);
        response.end(']},"warnings":["[{"]}');
      },
      async (url) => {
        let found = 0;
        for await (const one of readPrometheus(request(url))) {
          most = Math.max(most, one.timesMs.length);
          if (found === 7) assert.equal(one.id, 'rss{instance="a"]}7"}');
          found++;
        }
        assert.equal(found, count);
      },
    );
    assert.equal(most, 2);
  });

  test('that cannot be reached, refuses, answers with nothing or breaks off is reported as such', async () => {
    await assert.rejects(
      all(readPrometheus(request('http://127.0.0.1:1'))),
      /no answer from http:\/\/127.0.0.1:1/,
    );
    await assert.rejects(all(readPrometheus(request('not a url'))), /is no URL/);
    const error =
      (status: number, body: string): RequestListener =>
      (_, response) =>
        response.writeHead(status).end(body);
    const refused = error(400, '{"status":"error","error":"parse error: unexpected end"}');
    await answering(refused, (url) =>
      assert.rejects(all(readPrometheus(request(url))), /parse error: unexpected end/),
    );
    await answering(error(502, 'bad gateway'), (url) =>
      assert.rejects(all(readPrometheus(request(url))), /502/),
    );
    const empty = error(200, '{"status":"success","data":{"resultType":"matrix","result":[]}}');
    await answering(empty, (url) => assert.rejects(all(readPrometheus(request(url))), /returned no series/));
    const cut = error(200, '{"status":"success","data":{"result":[{"metric":{},"values":[[1,"2"');
    await answering(cut, (url) => assert.rejects(all(readPrometheus(request(url))), /ends in the middle/));
  });
});
