import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arc, ArcGroup, arcStrongCount, counters } from '../../../src/refcount/index.js';

const dropped = { code: 'ARC_DROPPED' };

test('the value is disposed of when the last owner lets go, and once', () => {
  const disposed: string[] = [];
  const first = Arc.of('model', { name: 'test.model', dispose: (value) => disposed.push(value) });
  const second = first.clone();
  first.drop();
  assert.deepEqual(disposed, []);
  assert.equal(second.value, 'model');
  second.drop();
  assert.deepEqual(disposed, ['model']);
});

test('an owner that has let go can neither read, clone, count nor drop again', () => {
  const arc = Arc.of(1, { name: 'test.dropped' });
  const other = arc.clone();
  arc.drop();
  assert.equal(arc.isDropped, true);
  assert.throws(() => arc.value, dropped);
  assert.throws(() => arc.clone(), dropped);
  assert.throws(() => arc.strongCount, dropped);
  assert.throws(() => arc.drop(), dropped);
  assert.equal(other.strongCount, 1, 'the failed attempts took nothing from the other owner');
  other.drop();
});

test('using lets go at the end of the block, unless it was done by hand', () => {
  const group = new ArcGroup();
  const arc = Arc.of(1, { name: 'test.using', group });
  {
    using byHand = arc.clone();
    using _byBlock = arc.clone();
    assert.equal(group.strongCount, 3);
    byHand.drop();
  }
  assert.equal(group.strongCount, 1);
  arc.drop();
});

test('owners are counted per value, per name, per group and in total', () => {
  const totalBefore = arcStrongCount();
  const ours = new ArcGroup();
  const theirs = new ArcGroup();
  const a = Arc.of('a', { name: 'test.counted', group: ours });
  const b = Arc.of('b', { name: 'test.counted', group: theirs });
  const a2 = a.clone();

  assert.equal(a.strongCount, 2);
  assert.equal(b.strongCount, 1);
  assert.deepEqual([ours.strongCount, theirs.strongCount], [2, 1]);
  assert.equal(arcStrongCount() - totalBefore, 3);
  assert.deepEqual(
    counters().filter(({ name }) => name === 'test.counted'),
    [{ name: 'test.counted', value: 3 }],
  );

  for (const arc of [a, b, a2]) arc.drop();
  assert.deepEqual([ours.strongCount, theirs.strongCount], [0, 0]);
  assert.equal(arcStrongCount(), totalBefore);
});

test('a dispose callback that throws does not upset the counts', () => {
  const group = new ArcGroup();
  const arc = Arc.of(1, {
    name: 'test.throws',
    group,
    dispose: () => {
      throw new Error('cannot close');
    },
  });
  assert.throws(() => arc.drop(), /cannot close/);
  assert.equal(group.strongCount, 0);
  assert.equal(arc.isDropped, true);
});

test('any order of clones and drops agrees with a plain list of owners', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ clone: fc.boolean(), which: fc.nat() })), (steps) => {
      let disposals = 0;
      const owners = [Arc.of(0, { name: 'test.model-based', dispose: () => disposals++ })];
      for (const { clone, which } of steps) {
        const index = which % owners.length;
        const owner = owners[index];
        if (owner === undefined) break;
        if (clone) owners.push(owner.clone());
        else owners.splice(index, 1)[0]?.drop();
        assert.equal(disposals, owners.length === 0 ? 1 : 0);
        if (owners.length === 0) break;
        assert.equal(owners[0]?.strongCount, owners.length);
      }
      for (const owner of owners) owner.drop();
      assert.equal(disposals, 1);
    }),
  );
});
