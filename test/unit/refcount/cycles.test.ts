import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arc, findCycles } from '../../../src/refcount/index.js';

interface Thing {
  [field: string]: unknown;
}
interface Node extends Thing {
  owned: Arc<unknown>[];
}
const arcOf = (value: Thing, name: string) => Arc.of(value, { name });

/** Only what concerns these names: other tests' values may not be collected yet. */
function cyclesAmong(prefix: string, limits = {}) {
  return findCycles(limits).cycles.filter(({ description }) => description.includes(prefix));
}

/** Drops every Arc in the fields of a value. */
function breakUp(...values: Thing[]): void {
  for (const value of values)
    for (const field of Object.values(value)) if (field instanceof Arc && !field.isDropped) field.drop();
}

test('a ring of Arcs is shown with the fields that lead round it, wherever they lie', () => {
  const session: Thing = {};
  const arc = arcOf(session, 'ring.session');
  const tool: Thing = { owners: new Map([['a', { who: [arc.clone()] }]]) };
  const offered = new Set([arcOf(tool, 'ring.tool')]);
  session.offered = offered;
  const own = [
    {
      description: 'ring.session.offered.values() -> ring.tool.owners.get().who[] -> ring.session',
      count: 1,
    },
  ];
  assert.deepEqual(cyclesAmong('ring.'), [{ ...own[0], withoutOwners: 0 }], 'arc still owns the session');
  arc.drop();
  assert.deepEqual(cyclesAmong('ring.'), [{ ...own[0], withoutOwners: 1 }], 'now nobody does');
  for (const each of offered) each.drop();
  assert.deepEqual(cyclesAmong('ring.'), []);
});

test('a value that owns itself is a ring of one', () => {
  const value: Thing = {};
  value.self = arcOf(value, 'self.value');
  assert.deepEqual(cyclesAmong('self.'), [
    { description: 'self.value.self -> self.value', count: 1, withoutOwners: 1 },
  ]);
  breakUp(value);
});

test('weak references and dropped Arcs make no ring, nor does a tree', () => {
  const parent: Thing = {};
  const owner = arcOf(parent, 'tree.parent');
  const child: Thing = { parent: owner.downgrade(), former: owner.clone() };
  (child.former as Arc<unknown>).drop();
  parent.children = [arcOf(child, 'tree.child'), arcOf({}, 'tree.child')];
  assert.deepEqual(cyclesAmong('tree.'), []);
  for (const each of parent.children as Arc<unknown>[]) each.drop();
  owner.drop();
});

test('what several values only refer to belongs to none of them', () => {
  const gateway: Thing = { sessions: [] as Arc<unknown>[] };
  for (let i = 0; i < 3; i++) (gateway.sessions as Arc<unknown>[]).push(arcOf({ gateway }, 'shared.session'));
  assert.deepEqual(cyclesAmong('shared.'), []);
  for (const each of gateway.sessions as Arc<unknown>[]) each.drop();
});

test('getters do not run, proxies are not asked, and long chains need no stack', () => {
  const trap = () => {
    throw new Error('somebody looked');
  };
  const value: Thing = {
    get dangerous() {
      return trap();
    },
    proxy: new Proxy({}, { ownKeys: trap, get: trap, getOwnPropertyDescriptor: trap }),
  };
  const owner = arcOf(value, 'quiet.value');
  assert.deepEqual(cyclesAmong('quiet.'), []);
  owner.drop();

  const chain: Thing[] = [];
  let next: Arc<Thing> | undefined;
  for (let i = 0; i < 20_000; i++) {
    const link: Thing = next ? { next } : {};
    chain.push(link);
    next = arcOf(link, 'chain.link');
  }
  const [last] = chain;
  if (last) last.next = next;
  assert.deepEqual(
    cyclesAmong('chain.').map(({ count, withoutOwners }) => [count, withoutOwners]),
    [[1, 1]],
  );
  breakUp(...chain);
});

test('limits end the search, and the answer says so', () => {
  const value: Thing = { a: { b: { c: {} } } };
  const owner = arcOf(value, 'deep.value');
  ((value.a as Thing).b as Thing).owner = owner.clone();
  assert.equal(cyclesAmong('deep.').length, 1);
  assert.equal(findCycles({ depthMax: 1 }).isComplete, false);
  assert.deepEqual(cyclesAmong('deep.', { depthMax: 1 }), []);
  assert.deepEqual(cyclesAmong('deep.', { fieldsMax: 1 }), []);
  ((value.a as Thing).b as { owner: Arc<unknown> }).owner.drop();
  owner.drop();
});

test('rings are found exactly where values can reach themselves, in random graphs', () => {
  const size = 8;
  const edges = fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 14 });
  fc.assert(
    fc.property(edges, (pairs) => {
      const values = Array.from({ length: size }, (): Node => ({ owned: [] }));
      const arcs = values.map((value, i) => arcOf(value, `random.${i}`));
      for (const [from, to] of pairs) values[from]?.owned.push((arcs[to] as Arc<unknown>).clone());
      const reaches = reachability(size, pairs);
      const expected = new Set<string>();
      for (let i = 0; i < size; i++) {
        if (!reaches[i]?.[i]) continue;
        const members = [...Array(size).keys()].filter((j) => reaches[i]?.[j] && reaches[j]?.[i]);
        expected.add(members.join());
      }
      const found = cyclesAmong('random.');
      const total = found.reduce((sum, { count }) => sum + count, 0);
      assert.equal(total, expected.size);
      for (const { description, withoutOwners } of found) {
        const [first, ...others] = description.split(' -> ').map((step) => /random\.(\d)/.exec(step)?.[1]);
        assert.equal(others.at(-1), first, 'it leads back to where it begins');
        const ring = [...expected].find((members) => members.split(',').includes(first ?? ''));
        for (const step of others) assert.ok(ring?.split(',').includes(step ?? ''));
        assert.equal(withoutOwners, 0);
      }
      for (const { owned } of values) for (const arc of owned) arc.drop();
      for (const arc of arcs) arc.drop();
    }),
    { numRuns: 200 },
  );
});

/** Warshall: who reaches whom in one step or more. */
function reachability(size: number, pairs: [number, number][]): boolean[][] {
  const reaches = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  for (const [from, to] of pairs) (reaches[from] as boolean[])[to] = true;
  for (let via = 0; via < size; via++)
    for (const row of reaches)
      if (row[via]) for (let to = 0; to < size; to++) row[to] ||= reaches[via]?.[to] ?? false;
  return reaches;
}
