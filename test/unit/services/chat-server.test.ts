import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ChatServer } from '../../../src/services/inference-engine/chat-server.js';

const server = new ChatServer({ maxRequestBytes: 1000, models: ['small'] });
let baseURL: string;
before(async () => {
  baseURL = await server.start();
});
after(() => server.stop());

const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
const ask = (content: string, fields: object = {}) => ({
  model: 'small',
  messages: [{ role: 'user', content }],
  ...fields,
});

/** What the tests look at; a refusal has only `error`. */
interface Answer {
  choices: { message: { content: string }; delta: { content?: string }; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
  error: { code: string; message: string };
}

async function post(
  body: unknown,
  given: Record<string, string> = headers,
): Promise<{ status: number; json: Answer }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', headers: given, body: text });
  return { status: response.status, json: (await response.json()) as Answer };
}

test('answers the same prompt always alike, and another one differently', async () => {
  const [first, again, other] = await Promise.all([post(ask('why?')), post(ask('why?')), post(ask('how?'))]);
  assert.deepEqual(first, again);
  assert.notEqual(first.json.choices[0]?.message.content, other.json.choices[0]?.message.content);
  assert.equal(first.json.choices[0]?.message.content.split(' ').length, 48);
  assert.equal(first.json.choices[0]?.finish_reason, 'stop');
  assert.deepEqual(first.json.usage, { prompt_tokens: 1, completion_tokens: 48, total_tokens: 49 });
});

test('stops early when it may say only so much', async () => {
  const { json } = await post(ask('why?', { max_tokens: 3 }));
  assert.equal(json.choices[0]?.message.content.split(' ').length, 3);
  assert.equal(json.choices[0]?.finish_reason, 'length');
});

test('streams the same answer in pieces, then its usage, then the end', async () => {
  const body = JSON.stringify(ask('why?', { stream: true, stream_options: { include_usage: true } }));
  const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', headers, body });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const events = (await response.text()).split('\n\n').filter(Boolean);
  assert.equal(events.pop(), 'data: [DONE]');
  const chunks = events.map((event): Answer => JSON.parse(event.slice('data: '.length)));
  const last = chunks.pop();
  assert.deepEqual(last?.choices, []);
  assert.equal(last?.usage.completion_tokens, 48);
  assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, 'stop');
  const streamed = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  assert.equal(streamed, (await post(ask('why?'))).json.choices[0]?.message.content);
});

test('lists its models', async () => {
  const { data } = (await (await fetch(`${baseURL}/models`, { headers })).json()) as {
    data: { id: string }[];
  };
  assert.deepEqual(
    data.map(({ id }) => id),
    ['small'],
  );
});

test('refuses what it cannot answer, in the way that clients know', async () => {
  const cases: [unknown, number, string][] = [
    ['{', 400, 'invalid_json'],
    [{}, 400, 'missing_field'],
    [{ model: 'small', messages: [] }, 400, 'missing_field'],
    [{ model: 'small', messages: [null] }, 400, 'missing_field'],
    [null, 400, 'missing_field'],
    [{ ...ask('why?'), model: 'large' }, 404, 'model_not_found'],
    [ask('x'.repeat(1000)), 413, 'request_too_large'],
  ];
  for (const [body, status, code] of cases) {
    const answer = await post(body);
    assert.deepEqual([answer.status, answer.json.error.code], [status, code]);
    assert.equal(typeof answer.json.error.message, 'string');
  }
  assert.equal((await post(ask('why?'), { 'content-type': 'application/json' })).status, 401);
  assert.equal((await fetch(`${baseURL}/embeddings`, { method: 'POST', headers, body: '{}' })).status, 404);
});
