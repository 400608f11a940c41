import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import {
  createMcpGateway,
  type McpGateway,
  type McpGatewayOptions,
} from '../../../src/services/mcp-gateway/mcp-gateway.js';
import type { Tool } from '../../../src/services/mcp-gateway/tools.js';
import { KIB, MIB } from '../../../src/units.js';
import { liveBytes } from '../../fixtures/garbage-collection.js';

let gateway: McpGateway;
afterEach(() => gateway.stop());

async function started(options: Partial<McpGatewayOptions>): Promise<McpGateway> {
  gateway = createMcpGateway(options);
  await gateway.start();
  return gateway;
}

const custom = () => gateway.metrics().custom ?? {};

const greet: Tool = {
  name: 'greet',
  description: 'Greets',
  arguments: { name: z.string() },
  run: ({ name }) => `hello ${name}`,
};

for (const transport of ['http', 'memory'] as const) {
  describe(`over ${transport}`, () => {
    test('a client lists the tools and calls them', async () => {
      await started({ transport });
      const session = await gateway.openSession();
      assert.deepEqual(await session.listTools(), [
        'count_words',
        'most_frequent_words',
        'hash_text',
        'upper_case',
        'add_up',
      ]);
      assert.equal(await session.callTool('count_words', { text: 'one two three' }), '3');
      assert.equal(await session.callTool('add_up', { numbers: [1, 2, 3.5] }), '6.5');
      assert.equal(await session.callTool('upper_case', { text: 'ä→b' }), 'Ä→B');
      assert.equal(await session.callTool('most_frequent_words', { text: 'b a b', limit: 1 }), '[["b",2]]');
    });

    test('a call that cannot be done is an error with its reason, and the session goes on', async () => {
      await started({ transport });
      gateway.registerTool({
        ...greet,
        run: () => {
          throw new Error('nobody is here');
        },
      });
      const session = await gateway.openSession();
      const unavailable = (why: RegExp) => ({ code: 'SERVICE_UNAVAILABLE', why });
      await assert.rejects(session.callTool('greet', { name: 'you' }), unavailable(/^nobody is here$/));
      await assert.rejects(session.callTool('missing', {}), unavailable(/Tool missing not found/));
      await assert.rejects(session.callTool('count_words', { text: 7 }), unavailable(/Invalid arguments/));
      assert.equal(await session.callTool('count_words', { text: 'still here' }), '2');
    });

    test('a tool comes and goes in sessions that are open, and in those to come', async () => {
      await started({ transport });
      const early = await gateway.openSession();
      gateway.registerTool(greet);
      const late = await gateway.openSession();
      assert.equal(custom().tools_count, 6);
      for (const session of [early, late]) {
        assert.equal(await session.callTool('greet', { name: 'you' }), 'hello you');
        assert.ok((await session.listTools()).includes('greet'));
      }
      gateway.registerTool({ ...greet, run: () => 'replaced' });
      assert.equal(await early.callTool('greet', { name: 'you' }), 'replaced');
      assert.equal(custom().tools_count, 6);

      assert.equal(gateway.removeTool('greet'), true);
      assert.equal(gateway.removeTool('greet'), false);
      for (const session of [early, late]) {
        await assert.rejects(session.callTool('greet', { name: 'you' }), { code: 'SERVICE_UNAVAILABLE' });
        assert.ok(!(await session.listTools()).includes('greet'));
      }
    });

    test('so many sessions are open at once; a place is free again when one is terminated', async () => {
      await started({ transport, maxSessions: 4 });
      assert.deepEqual([gateway.metrics().openConnections, gateway.metrics().maxConnections], [2, 4]);
      const [third] = [await gateway.openSession(), await gateway.openSession()];
      await assert.rejects(gateway.openSession(), {
        code: 'SERVICE_UNAVAILABLE',
        why: 'all 4 sessions are taken',
      });
      assert.equal(gateway.metrics().openConnections, 4);
      await third.terminate();
      const again = await gateway.openSession();
      assert.equal(await again.callTool('count_words', { text: 'a b' }), '2');
      assert.deepEqual(
        [
          custom().sessions_created_count,
          custom().sessions_terminated_count,
          custom().sessions_refused_count,
        ],
        [5, 1, 1],
      );
    });

    test('many sessions that are opened at once do not exceed the maximum either', async () => {
      await started({ transport, maxSessions: 10 });
      const results = await Promise.allSettled(Array.from({ length: 30 }, () => gateway.openSession()));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 5);
      assert.equal(gateway.metrics().openConnections, 10);
    });

    test('a session owns the tools it offers, and gives all of them back', async () => {
      await started({ transport });
      const owners = () => gateway.metrics().arcRefCount ?? Number.NaN;
      // The gateway owns 5 tools; a session is owned by the gateway and by its
      // client's open stream, and owns the 5 tools as well.
      const expected = (sessions: number) => 5 + sessions * (2 + 5);
      await until(() => owners() === expected(16));
      const sessions = await Promise.all(Array.from({ length: 8 }, () => gateway.openSession()));
      await until(() => owners() === expected(24));
      for (const session of sessions) await session.terminate();
      await until(() => owners() === expected(16));
    });

    test('a large message goes there and back; one that is too large is refused', async () => {
      await started({ transport, maxMessageBytes: MIB });
      assert.deepEqual(await gateway.largeOperation(0, 900 * KIB), { bytes: 1800 * KIB });
      await assert.rejects(gateway.largeOperation(0, MIB), {
        code: 'PAYLOAD_TOO_LARGE',
        why: 'a message may have 1048576 bytes',
      });
      assert.deepEqual(await gateway.largeOperation(0, 900 * KIB), { bytes: 1800 * KIB });
      await until(() => gateway.metrics().connectionMemoryBytes === 0);
    });

    test('a refused message is not kept', async () => {
      await started({ transport, maxMessageBytes: 100 * KIB });
      await assert.rejects(gateway.largeOperation(0, 2 * MIB));
      const before = await liveBytes();
      for (let i = 0; i < 20; i++) await assert.rejects(gateway.largeOperation(i, 2 * MIB));
      const grown = (await liveBytes()) - before;
      assert.ok(grown < 10 * MIB, `${grown} bytes of 40 MiB are still there`);
    });

    test('messages are counted while they are under way', async () => {
      await started({ transport });
      let seenBytes = 0;
      gateway.registerTool({
        ...greet,
        run: async ({ name }) => {
          seenBytes = gateway.metrics().connectionMemoryBytes ?? 0;
          return `hello ${String(name).length}`;
        },
      });
      const session = await gateway.openSession();
      await session.callTool('greet', { name: 'x'.repeat(10_000) });
      assert.ok(seenBytes > 10_000 && seenBytes < 12_000, `${seenBytes} bytes`);
      await until(() => gateway.metrics().connectionMemoryBytes === 0);
    });
  });
}

test('a client that goes without a word leaves its session until that was idle too long; others stay', async () => {
  await started({ maxSessions: 4, sessionIdleTimeoutMs: 50 });
  const connected = await gateway.openSession();
  const crashed = await gateway.openSession();
  await crashed.abandon();
  assert.equal(gateway.metrics().openConnections, 4);
  await until(() => gateway.metrics().openConnections === 3);
  assert.equal(custom().sessions_expired_count, 1);
  assert.equal(custom().sessions_terminated_count, 0);
  assert.equal(await connected.callTool('count_words', { text: 'my stream is open' }), '4');
  for (let i = 0; i < 4; i++) await gateway.operation(i);
});

test('operations use lasting sessions, and open and end some of their own', async () => {
  await started({});
  for (let from = 0; from < 256; from += 64) {
    await Promise.all(Array.from({ length: 64 }, (_, i) => gateway.operation(from + i)));
  }
  assert.deepEqual(custom(), {
    tools_count: 5,
    sessions_created_count: 16 + 8,
    sessions_terminated_count: 8,
    sessions_expired_count: 0,
    sessions_refused_count: 0,
  });
  assert.equal(gateway.metrics().openConnections, 16);
});

/** Waits for what another party still has to do; gives up when that does not happen. */
async function until(condition: () => boolean): Promise<void> {
  const giveUpMs = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < giveUpMs, `in vain: ${condition} ${JSON.stringify(gateway.metrics())}`);
    await delay(2);
  }
}
