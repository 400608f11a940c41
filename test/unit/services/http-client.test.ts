import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { HttpClient } from '../../../src/services/http-client.js';

let server: http.Server;
let base: string;
const arrived = new Set<unknown>();

before(async () => {
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/echo') response.end(Buffer.concat(chunks));
      else if (request.url === '/empty') response.writeHead(204).end();
      else if (request.url === '/teapot') response.writeHead(418, { 'x-pot': ['a', 'b'] }).end('short');
      else if (request.url === '/large') response.end(Buffer.alloc(3_000_000, 'x'));
      else if (request.url === '/events')
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      else if (request.url === '/broken')
        response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    });
  });
  server.on('connection', (socket) => arrived.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('sends text and bytes, and counts both directions until the answer was read', async () => {
  const client = new HttpClient();
  for (const body of ['héllo', new TextEncoder().encode('bytes')]) {
    const pending = client.fetch(`${base}/echo`, { method: 'POST', body });
    assert.equal(client.bodyBytes, Buffer.byteLength(body), 'the request is in flight');
    const response = await pending;
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(body));
    assert.equal(client.bodyBytes, 0);
  }
  await client.close();
});

test('uses a connection again, and never opens more than it may', async () => {
  const client = new HttpClient(2);
  const before = arrived.size;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const response = await client.fetch(`${base}/echo`, { method: 'POST', body: 'x' });
      assert.ok(client.openConnections <= 2);
      await response.text();
    }),
  );
  assert.equal(arrived.size - before, 2);
  assert.equal(client.openConnections, 2);
  await client.close();
  assert.equal(client.openConnections, 0);
});

test('gives status and headers, and the connection survives an answer nobody reads', async () => {
  const client = new HttpClient(1);
  const response = await client.fetch(`${base}/teapot`);
  assert.equal(response.status, 418);
  assert.equal(response.headers.get('x-pot'), 'a, b');
  await response.body?.cancel();
  const before = arrived.size;
  assert.equal((await client.fetch(`${base}/empty`)).status, 204);
  assert.equal(await (await client.fetch(`${base}/echo`, { method: 'POST', body: 'again' })).text(), 'again');
  assert.equal(arrived.size, before);
  assert.equal(client.bodyBytes, 0);
  await client.close();
});

test('a reader that is slow makes the sender wait instead of filling the memory', async () => {
  const client = new HttpClient();
  const response = await client.fetch(`${base}/large`);
  const reader = response.body?.getReader();
  assert.ok(reader);
  let bytes = (await reader.read()).value?.byteLength ?? 0;
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(client.bodyBytes < 300_000, `${client.bodyBytes} bytes arrived unasked`);
  for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.byteLength;
  assert.equal(bytes, 3_000_000);
  assert.equal(client.bodyBytes, 0);
  await client.close();
});

test('aborting ends a stream that would never end, and leaves no listener on the signal', async () => {
  const client = new HttpClient();
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };

  await (await client.fetch(`${base}/echo`, { method: 'POST', body: 'x', signal })).text();
  assert.equal(listeners, 0);

  const response = await client.fetch(`${base}/events`, { signal });
  const reading = response.text();
  controller.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  assert.equal(listeners, 0);
  assert.equal(client.bodyBytes, 0);
  await assert.rejects(client.fetch(`${base}/echo`, { signal }), /enough/);
  await client.close();
});

test('many requests may share a signal', async () => {
  const warnings: Error[] = [];
  const remember = (warning: Error) => warnings.push(warning);
  process.on('warning', remember);
  const client = new HttpClient();
  const { signal } = new AbortController();
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      await (await client.fetch(`${base}/echo`, { method: 'POST', body: 'x', signal })).text();
    }),
  );
  await client.close();
  process.off('warning', remember);
  assert.deepEqual(warnings, []);
});

test('a reader that has enough of a long answer costs the connection, but no bytes stay in the books', async () => {
  const client = new HttpClient();
  for (const path of ['/large', '/events']) {
    const response = await client.fetch(`${base}${path}`, { method: 'POST', body: 'request' });
    await response.body?.cancel();
    assert.equal(client.bodyBytes, 0);
  }
  await client.close();
  assert.equal(client.openConnections, 0);
});

test('of a stream of events only those count that were not read yet', async () => {
  const client = new HttpClient();
  const response = await client.fetch(`${base}/events`);
  const event = 'data: 1\n\n';
  while (client.bodyBytes < event.length) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.bodyBytes, event.length);
  const reader = response.body?.getReader();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), event);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.bodyBytes, 0);
  await reader?.cancel();
  await client.close();
});

test('a server that is away or breaks off is an error, and leaves the books at zero', async () => {
  const client = new HttpClient();
  await assert.rejects(client.fetch('http://127.0.0.1:1/', { method: 'POST', body: 'x' }), {
    code: 'ECONNREFUSED',
  });
  const response = await client.fetch(`${base}/broken`);
  await assert.rejects(response.text(), /aborted/);
  assert.equal(client.bodyBytes, 0);
  await client.close();
  assert.equal(client.openConnections, 0);
});
