import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Profile } from 'pprof-format';
import {
  type AllocationProfile,
  type AllocationSample,
  bytesOf,
  decodeHeapProfile,
  encodeHeapProfile,
  liveDelta,
  stackOf,
} from '../../../src/recording/allocation-profile.js';
import { encodePprof } from '../../../src/recording/pprof.js';
import { sourceMapped } from '../../../src/recording/source-mapped.js';
import { folderWith } from '../../fixtures/folder.js';

const RUN = { intervalBytes: 1024, startedAtEpochMs: 1_700_000_000_000, durationMs: 2500 };

/** A profile whose stacks are given as "outer inner": bytes. */
function profileOf(bytesByStack: Record<string, number[]>, firstId = 1): AllocationProfile {
  const profile: AllocationProfile = {
    ...RUN,
    nodes: [
      { frame: { functionName: '(root)', url: '', line: undefined, column: undefined }, parent: undefined },
    ],
    samples: [],
  };
  let id = firstId;
  for (const [stack, sizes] of Object.entries(bytesByStack)) {
    let parent = 0;
    for (const functionName of stack.split(' ')) {
      const known = profile.nodes.findIndex(
        (node) => node.parent === parent && node.frame.functionName === functionName,
      );
      const frame = { functionName, url: '/app/index.js', line: functionName.length, column: 3 };
      parent = known >= 0 ? known : profile.nodes.push({ frame, parent }) - 1;
    }
    for (const bytes of sizes)
      profile.samples.push({ id: id++, node: parent, bytes, objects: 2, isCollected: false });
  }
  return profile;
}

const stacks = (profile: AllocationProfile) =>
  profile.samples.map(({ node, bytes }) => ({
    bytes,
    stack: stackOf(profile, node)
      .map((frame) => frame.functionName)
      .reverse()
      .join(' '),
  }));

describe('an allocation profile', () => {
  test('is the same after it was written as .heapprofile and read again', () => {
    const samples = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 5 });
    const name = fc.constantFrom('main', 'serve', 'parse', 'grüße "x"\n');
    const stack = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join(' '));
    fc.assert(
      fc.property(fc.dictionary(stack, samples, { maxKeys: 8 }), (bytesByStack) => {
        const profile = profileOf(bytesByStack);
        const again = decodeHeapProfile(encodeHeapProfile(profile), RUN);
        assert.deepEqual(stacks(again), stacks(profile));
        assert.deepEqual(
          again.samples.map(({ node: _, ...rest }) => rest),
          profile.samples.map(({ node: _, ...rest }) => rest),
        );
        const places = ({ nodes }: AllocationProfile) =>
          nodes.map(({ frame }) => JSON.stringify(frame)).sort();
        assert.deepEqual(places(again), places(profile));
      }),
    );
  });

  test('gives in a .heapprofile each function the bytes that it allocated itself', () => {
    const { head } = JSON.parse(encodeHeapProfile(profileOf({ main: [10], 'main serve': [1, 2] })));
    assert.equal(head.selfSize, 0);
    assert.equal(head.children[0].selfSize, 10);
    assert.equal(head.children[0].children[0].selfSize, 3);
    assert.equal(head.children[0].children[0].callFrame.lineNumber, 4, 'counted from 0');
  });

  test('differs from an earlier one by what came and what went, sample by sample', () => {
    const before = profileOf({ cache: [100, 100], burst: [7] });
    const after: AllocationProfile = {
      ...before,
      samples: [
        ...before.samples.filter(({ bytes }) => bytes === 100),
        { id: 9, node: 1, bytes: 50, objects: 1, isCollected: false },
      ],
    };
    const { grown, freed } = liveDelta(before, after);
    assert.deepEqual(stacks(grown), [{ bytes: 50, stack: 'cache' }]);
    assert.deepEqual(stacks(freed), [{ bytes: 7, stack: 'burst' }]);
    assert.equal(bytesOf(after), bytesOf(before) + bytesOf(grown) - bytesOf(freed));
  });

  test('may have more samples than a call takes arguments', () => {
    const sample = (id: number): AllocationSample => ({
      id,
      node: 0,
      bytes: 1,
      objects: 1,
      isCollected: false,
    });
    const samples = Array.from({ length: 300_000 }, (_, id) => sample(id + 1));
    const before = { ...profileOf({}), samples };
    const { grown } = liveDelta(before, { ...before, samples: [...samples, sample(300_001)] });
    assert.equal(grown.samples.length, 1);
  });

  test('becomes a pprof with the innermost frame first, one sample a stack, and the sums kept', () => {
    const profile = profileOf({ 'main serve parse': [10, 20], 'main serve': [5], 'main other parse': [1] });
    const pprof = Profile.decode(gunzipSync(encodePprof(profile)));
    const text = (index: number | bigint) => pprof.stringTable.strings[Number(index)];
    assert.deepEqual(
      pprof.sampleType.map(({ type, unit }) => [text(type), text(unit)]),
      [
        ['inuse_objects', 'count'],
        ['inuse_space', 'bytes'],
      ],
    );
    const functions = new Map(pprof.function.map((each) => [Number(each.id), text(each.name)]));
    const locations = new Map(
      pprof.location.map((each) => [Number(each.id), functions.get(Number(each.line[0]?.functionId))]),
    );
    const samples = pprof.sample.map(({ locationId, value }) => ({
      stack: locationId.map((id) => locations.get(Number(id))),
      value: value.map(Number),
    }));
    assert.deepEqual(samples, [
      { stack: ['parse', 'serve', 'main'], value: [4, 30] },
      { stack: ['serve', 'main'], value: [2, 5] },
      { stack: ['parse', 'other', 'main'], value: [2, 1] },
    ]);
    assert.equal(pprof.location.length, 4, 'equal frames are one location');
    assert.equal(Number(pprof.period), 1024);
    assert.equal(Number(pprof.timeNanos), 1_700_000_000_000 * 1e6);
    assert.equal(Number(pprof.durationNanos), 2500 * 1e6);
    assert.equal(text(pprof.function[0]?.filename ?? 0), '/app/index.js');
  });
});

describe('places of compiled scripts', () => {
  // The generated line 3, column 2 (from 0: 2, 1) is line 10, column 5 of source.ts.
  const map = JSON.stringify({
    version: 3,
    sources: ['../src/source.ts'],
    names: [],
    mappings: ';;CASI',
  });

  function placeAfterMapping(url: string) {
    const profile = profileOf({ main: [1] });
    const node = profile.nodes[1];
    assert.ok(node);
    node.frame = { functionName: 'main', url, line: 3, column: 2 };
    return sourceMapped(profile).nodes[1]?.frame;
  }

  for (const [kind, comment] of [
    ['beside them', 'index.js.map'],
    ['inside them', `data:application/json;base64,${Buffer.from(map).toString('base64')}`],
  ] as const)
    test(`become those of the sources when a map lies ${kind}`, (t) => {
      const folder = folderWith(t, {
        'dist/index.js': `\n\n main();\n//# sourceMappingURL=${comment}\n`,
        'dist/index.js.map': map,
      });
      assert.deepEqual(placeAfterMapping(`file://${folder}/dist/index.js`), {
        functionName: 'main',
        url: join(folder, 'src/source.ts'),
        line: 10,
        column: 5,
      });
    });

  test('stay as they are without a map, with a broken one, and for what is no file', (t) => {
    const folder = folderWith(t, { 'broken.js': '//# sourceMappingURL=broken.js.map' });
    writeFileSync(join(folder, 'broken.js.map'), '{');
    for (const url of [`${folder}/none.js`, `${folder}/broken.js`, 'node:fs', '', 'http://localhost/app.js'])
      assert.deepEqual(placeAfterMapping(url), { functionName: 'main', url, line: 3, column: 2 });
  });
});
