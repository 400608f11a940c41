import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { referenceCounts } from '../../src/refcount/index.js';
import { createService, type Service, type ServiceMetrics } from '../../src/services/index.js';
import { MIB } from '../../src/units.js';
import { liveBytes } from '../fixtures/garbage-collection.js';

/** What holds for every service, whatever it does. */

const sources = fileURLToPath(new URL('../../src/', import.meta.url));
const installed = dirname(dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')));
const types = Object.keys(createService) as (keyof typeof createService)[];

/** What each of them owns while it is started, by name; the resources of PostgreSQL are tested with it. */
const owned = {
  ScriptEngine: ['arc ScriptEngine.script'],
  InferenceEngine: [
    'arc InferenceEngine.model',
    'resource InferenceEngine.connection',
    'resource InferenceEngine.session',
  ],
  DataStore: ['arc DataStore.connection', 'resource DataStore.statement'],
  McpGateway: ['arc McpGateway.session', 'arc McpGateway.tool'],
};

/** References of a service that are held now, its locks included. */
const heldBy = (type: string) =>
  referenceCounts().filter(({ name, strong }) => name.startsWith(`${type}.`) && strong > 0);

/** Figures that are gone when a service has stopped. */
const held = ({
  cacheMemoryBytes,
  cacheEntries,
  connectionMemoryBytes,
  openConnections,
  ...rest
}: ServiceMetrics) => [
  cacheMemoryBytes ?? 0,
  cacheEntries ?? 0,
  connectionMemoryBytes ?? 0,
  openConnections ?? 0,
  rest.queueLength,
  rest.activeTasks,
  rest.arcRefCount,
];
const nothing = [0, 0, 0, 0, 0, 0, 0];

for (const type of types) {
  describe(type, () => {
    let service: Service;
    let indexes = 0;
    before(() => {
      service = createService[type]();
    });
    after(() => service.stop());

    const work = async (operations: number, concurrency: number) => {
      const end = indexes + operations;
      const worker = async () => {
        while (indexes < end) await service.operation(indexes++);
      };
      await Promise.all(Array.from({ length: concurrency }, worker));
    };

    test('does nothing before it is started', async () => {
      await assert.rejects(service.operation(0), { code: 'SERVICE_NOT_STARTED' });
      await assert.rejects(service.largeOperation(0, 1000), { code: 'SERVICE_NOT_STARTED' });
      assert.deepEqual(held(service.metrics()), nothing);
      await service.stop();
    });

    test('counts what is under way: 100 operations at once', async () => {
      await service.start();
      let done = 0;
      const underWay = () => {
        const { activeTasks = 0, queueLength = 0 } = service.metrics();
        assert.ok(activeTasks >= 0 && queueLength >= 0);
        return activeTasks + queueLength;
      };
      const operations = Array.from({ length: 100 }, async (_, i) => {
        const { bytes } = await service.operation(i);
        done++;
        assert.ok(underWay() <= 100 - done);
        assert.ok(bytes > 0);
      });
      assert.equal(underWay(), 100);
      await Promise.all(operations);
      assert.equal(underWay(), 0);
      indexes = 100;
    });

    test('handles about as many bytes as a large operation asks for', async () => {
      const { bytes } = await service.largeOperation(0, MIB);
      assert.ok(bytes >= 0.99 * MIB && bytes <= 2.01 * MIB, `${bytes} bytes`);
    });

    test('keeps nothing of 1500 more operations', async () => {
      await work(1500, 10);
      const before = await liveBytes();
      await work(1500, 10);
      const grown = (await liveBytes()) - before;
      // V8's own cache of compiled code comes and goes by a MiB or two.
      assert.ok(grown < 3 * MIB, `${grown} bytes are left`);
    });

    test('counts what it owns, and arcRefCount is the sum of its strong references', () => {
      const counts = heldBy(type);
      assert.deepEqual(counts.map(({ kind, name }) => `${kind} ${name}`).sort(), owned[type]);
      const strong = counts.reduce((sum, each) => (each.kind === 'arc' ? sum + each.strong : sum), 0);
      assert.equal(service.metrics().arcRefCount, strong);
      assert.deepEqual(
        counts.filter(({ leaked }) => leaked > 0),
        [],
      );
    });

    test('a refused payload leaves nothing behind', async () => {
      await assert.rejects(service.largeOperation(0, 65 * MIB), { code: 'PAYLOAD_TOO_LARGE' });
      assert.deepEqual([service.metrics().activeTasks, service.metrics().queueLength], [0, 0]);
      await work(20, 1);
    });

    test('lets what is under way end when it is stopped, then holds nothing', async () => {
      const operations = Array.from({ length: 20 }, (_, i) => service.operation(i));
      await service.stop();
      await Promise.all(operations);
      assert.deepEqual(held(service.metrics()), nothing);
      assert.deepEqual(heldBy(type), []);
      await assert.rejects(service.operation(0), { code: 'SERVICE_NOT_STARTED' });
      await service.stop();
    });

    test('starts again', async () => {
      await service.start();
      await work(20, 5);
      await service.stop();
      assert.deepEqual(held(service.metrics()), nothing);
    });

    test('does not keep the process alive once it is stopped', () => {
      const program = `
        import { createService } from ${JSON.stringify(new URL('../../src/services/index.js', import.meta.url).href)};
        const service = createService.${type}();
        await service.start();
        await Promise.all(Array.from({ length: 128 }, (_, i) => service.operation(i)));
        await service.stop();
        console.log('stopped');
      `;
      const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      assert.deepEqual([child.stdout, child.stderr, child.status], ['stopped\n', '', 0]);
    });
  });
}

describe('where no optional package is installed', () => {
  let folder: string;
  before(async () => {
    // The same files in a place from which no node_modules can be seen.
    folder = await mkdtemp(join(tmpdir(), 'services-alone-'));
    for (const part of ['services', 'refcount', 'errors.js', 'units.js']) {
      await cp(join(sources, part), join(folder, part), { recursive: true });
    }
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  });
  after(() => rm(folder, { recursive: true }));

  function start(type: string, options: object = {}): unknown {
    const program = `
      import { createService } from './services/index.js';
      const service = createService.${type}(${JSON.stringify(options)});
      const answer = await service.start().then(() => 'started', ({ code, what, fix }) => ({ code, what, fix }));
      await service.stop();
      console.log(JSON.stringify(answer));
    `;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(child.stderr, '');
    return JSON.parse(child.stdout);
  }

  test('the script engine needs none', () => {
    assert.equal(start('ScriptEngine'), 'started');
  });

  for (const [type, options, missing] of [
    ['InferenceEngine', {}, 'onnxruntime-node'],
    ['DataStore', {}, 'better-sqlite3'],
    ['DataStore', { postgresUrl: 'postgres://127.0.0.1:1/' }, 'pg'],
    ['McpGateway', {}, 'zod'],
  ] as const) {
    test(`${type} says that it needs ${missing} and how to get it`, () => {
      assert.deepEqual(start(type, options), {
        code: 'DEPENDENCY_MISSING',
        what: `${type} needs the package "${missing}"`,
        fix: `npm install ${missing}`,
      });
    });
  }

  test('DataStore says so when the native part of better-sqlite3 was never built', async () => {
    for (const name of [
      'better-sqlite3/package.json',
      'better-sqlite3/lib',
      'bindings',
      'file-uri-to-path',
    ]) {
      await cp(join(installed, name), join(folder, 'node_modules', name), { recursive: true });
    }
    assert.deepEqual(start('DataStore'), {
      code: 'DEPENDENCY_MISSING',
      what: 'DataStore needs the package "better-sqlite3"',
      fix: 'npm rebuild better-sqlite3',
    });
  });
});
