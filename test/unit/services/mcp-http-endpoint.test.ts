import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ArcGroup } from '../../../src/refcount/index.js';
import { HttpEndpoint } from '../../../src/services/mcp-gateway/http-endpoint.js';
import { loadSdk } from '../../../src/services/mcp-gateway/sdk.js';
import { Sessions } from '../../../src/services/mcp-gateway/sessions.js';

const arcs = new ArcGroup();
let sessions: Sessions;
let endpoint: HttpEndpoint;
before(async () => {
  const sdk = await loadSdk();
  sessions = new Sessions({ sdk, maxSessions: 2, idleTimeoutMs: 60_000, arcs });
  endpoint = new HttpEndpoint({ sdk, sessions, maxSessions: 2, maxMessageBytes: 1000 });
  await endpoint.start();
});
after(async () => {
  sessions.close();
  await endpoint.stop();
});

async function send(init: RequestInit): Promise<{ status: number; text: string; headers: Headers }> {
  const headers = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(init.headers as Record<string, string>),
  };
  const response = await fetch(endpoint.url ?? '', { ...init, headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'by hand', version: '1' } },
});

test('a session is opened by an initialize request and ended by DELETE', async () => {
  const opened = await send({ method: 'POST', body: initialize });
  assert.equal(opened.status, 200);
  const id = opened.headers.get('mcp-session-id') ?? '';
  assert.equal(sessions.count, 1);
  const ended = await send({ method: 'DELETE', headers: { 'mcp-session-id': id } });
  assert.equal(ended.status, 200);
  assert.equal(sessions.count, 0);
  assert.equal((await send({ method: 'POST', body: '{}', headers: { 'mcp-session-id': id } })).status, 404);
});

test('what is no message is refused, and takes no place from those to come', async () => {
  const refusals: [RequestInit, number][] = [
    [{ method: 'GET' }, 400],
    [{ method: 'DELETE' }, 400],
    [{ method: 'PUT', body: '{}' }, 400],
    [{ method: 'POST', body: '{' }, 400],
    [{ method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }, 400],
    [{ method: 'POST', body: initialize, headers: { accept: 'text/plain' } }, 406],
    [{ method: 'POST', body: `"${'x'.repeat(1000)}"` }, 413],
    [{ method: 'POST', body: '{}', headers: { 'mcp-session-id': 'unknown' } }, 404],
    [{ method: 'GET', headers: { 'mcp-session-id': 'unknown' } }, 404],
  ];
  for (const [request, status] of refusals) {
    const answer = await send(request);
    assert.equal(answer.status, status, JSON.stringify(request));
    assert.equal(typeof JSON.parse(answer.text).error.message, 'string');
  }
  assert.deepEqual([sessions.count, endpoint.messageBytes, arcs.strongCount], [0, 0, 0]);
  const [first, second, third] = [
    await send({ method: 'POST', body: initialize }),
    await send({ method: 'POST', body: initialize }),
    await send({ method: 'POST', body: initialize }),
  ];
  assert.deepEqual([first.status, second.status, third.status], [200, 200, 503]);
});
