import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arc, ArcGroup, arcStrongCount, referenceCounts, type Weak } from '../../../src/refcount/index.js';

const dropped = { code: 'ARC_DROPPED' };
const countsOf = (name: string) => referenceCounts().find((each) => each.name === name);

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
  const counts = { kind: 'arc', name: 'test.counted', weak: 0, leaked: 0, abandoned: 0 };
  assert.deepEqual(countsOf('test.counted'), { ...counts, strong: 3, created: 3, dropped: 0, values: 2 });

  for (const arc of [a, b, a2]) arc.drop();
  assert.deepEqual([ours.strongCount, theirs.strongCount], [0, 0]);
  assert.equal(arcStrongCount(), totalBefore);
  assert.deepEqual(countsOf('test.counted'), { ...counts, strong: 0, created: 3, dropped: 3, values: 0 });
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

test('a value can be taken out by its only owner, and is not disposed of then', () => {
  let disposals = 0;
  const arc = Arc.of('value', { name: 'test.unwrap', dispose: () => disposals++ });
  const weak = arc.downgrade();
  const other = arc.clone();
  assert.equal(arc.tryUnwrap(), undefined);
  assert.equal(arc.strongCount, 2, 'nothing has changed');
  other.drop();
  assert.deepEqual(arc.tryUnwrap(), { value: 'value' });
  assert.throws(() => arc.value, dropped);
  assert.equal(weak.upgrade(), undefined);
  assert.equal(disposals, 0);
  weak.drop();
});

test('a weak reference upgrades for as long as there is an owner', () => {
  const arc = Arc.of({ name: 'value' }, { name: 'test.weak' });
  const weak = arc.downgrade();
  const copy = weak.clone();
  assert.deepEqual([arc.strongCount, arc.weakCount, weak.strongCount], [1, 2, 1]);
  const upgraded = weak.upgrade();
  assert.equal(upgraded?.value, arc.value);
  assert.equal(arc.strongCount, 2);
  upgraded?.drop();
  arc.drop();
  assert.equal(weak.upgrade(), undefined);
  assert.equal(weak.strongCount, 0);
  weak.drop();
  assert.throws(() => weak.drop(), dropped);
  assert.throws(() => weak.upgrade(), dropped);
  assert.throws(() => weak.clone(), dropped);
  copy.drop();
  assert.equal(countsOf('test.weak')?.weak, 0);
});

test('owners of the same value know that they are', () => {
  const a = Arc.of({}, { name: 'test.same' });
  const a2 = a.clone();
  const b = Arc.of(a.value, { name: 'test.same' });
  assert.equal(Arc.ptrEq(a, a2), true);
  assert.equal(Arc.ptrEq(a, b), false, 'the same object, but not the same owners');
  for (const arc of [a, a2, b]) arc.drop();
  assert.throws(() => Arc.ptrEq(a, b), dropped);
});

test('a value that nobody owns any more is not kept in memory by those who know it', () => {
  const arc = Arc.of({ large: true }, { name: 'test.forgotten' });
  const weak = arc.downgrade();
  const shared = Arc.cellOf(arc);
  arc.drop();
  assert.equal(shared?.value, undefined);
  weak.drop();
});

/** What owners and weak references of one value are, said slowly: two lists. */
class ArcModel {
  readonly owners: Arc<string>[];
  readonly weaks: Weak<string>[] = [];
  disposals = 0;
  unwrapped = false;

  constructor() {
    this.owners = [Arc.of('value', { name: 'test.model-based', dispose: () => this.disposals++ })];
  }

  step(action: string, which: number): void {
    const owner = this.owners[which % this.owners.length];
    const weak = this.weaks[which % this.weaks.length];
    if (action === 'clone' && owner) this.owners.push(owner.clone());
    if (action === 'drop' && owner) this.owners.splice(this.owners.indexOf(owner), 1)[0]?.drop();
    if (action === 'downgrade' && owner) this.weaks.push(owner.downgrade());
    if (action === 'upgrade' && weak) {
      const upgraded = weak.upgrade();
      assert.equal(upgraded !== undefined, this.owners.length > 0);
      if (upgraded) this.owners.push(upgraded);
    }
    if (action === 'dropWeak' && weak) this.weaks.splice(this.weaks.indexOf(weak), 1)[0]?.drop();
    if (action === 'unwrap' && owner) {
      const isOnly = this.owners.length === 1;
      assert.deepEqual(owner.tryUnwrap(), isOnly ? { value: 'value' } : undefined);
      if (isOnly) this.unwrapped = this.owners.pop() !== undefined;
    }
  }

  check(before: { created: number }): void {
    const counts = countsOf('test.model-based');
    const { length } = this.owners;
    assert.equal(counts?.strong, length);
    assert.equal(counts?.weak, this.weaks.length);
    assert.equal(counts?.values, length > 0 ? 1 : 0);
    assert.equal((counts?.created ?? 0) - before.created - ((counts?.dropped ?? 0) - before.created), length);
    assert.equal(this.disposals, length === 0 && !this.unwrapped ? 1 : 0);
    for (const owner of this.owners)
      assert.deepEqual(
        [owner.strongCount, owner.weakCount, owner.value],
        [length, this.weaks.length, 'value'],
      );
    for (const weak of this.weaks) assert.equal(weak.strongCount, length);
  }
}

test('any order of clones, drops, upgrades and unwraps agrees with a plain list of owners', () => {
  const actions = fc.constantFrom('clone', 'drop', 'downgrade', 'upgrade', 'dropWeak', 'unwrap');
  fc.assert(
    fc.property(fc.array(fc.tuple(actions, fc.nat()), { maxLength: 60 }), (steps) => {
      const before = { created: countsOf('test.model-based')?.created ?? 0 };
      const model = new ArcModel();
      for (const [action, which] of steps) {
        model.step(action, which);
        model.check(before);
      }
      for (const owner of model.owners.splice(0)) owner.drop();
      for (const weak of model.weaks.splice(0)) weak.drop();
      model.check(before);
    }),
    { numRuns: 300 },
  );
});
