import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { RunReportSchema } from '../../../src/diagnosis/index.js';
import { readReport, reportJsonSchema, reportToJson, writeReport } from '../../../src/report/index.js';
import { folderWith } from '../../fixtures/folder.js';
import { aFailure, aLeak, anInconclusive, aReport, aResult } from '../../fixtures/results.js';

const report = aReport([aResult(), aLeak(), anInconclusive(), aFailure()]);

test('a report that is written and read again is the same', (t) => {
  const path = join(folderWith(t), 'deep', 'results.json');
  writeReport(report, path);
  assert.deepEqual(readReport(path), report);
});

test('writing leaves nothing but the file, also over an older one', (t) => {
  const folder = folderWith(t, { 'results.json': 'older and longer than nothing' });
  writeReport(report, join(folder, 'results.json'));
  assert.deepEqual(readdirSync(folder), ['results.json']);
  assert.equal(readFileSync(join(folder, 'results.json'), 'utf8'), reportToJson(report));
});

test('a place that cannot be written to is OUTPUT_UNWRITABLE, and the older file stays', (t) => {
  const folder = folderWith(t, { file: 'not a folder', 'kept/results.json/inside': '' });
  assert.throws(() => writeReport(report, join(folder, 'file', 'results.json')), {
    code: 'OUTPUT_UNWRITABLE',
    fix: 'a part of that path is a file: choose another folder with --output',
  });
  assert.throws(() => writeReport(report, join(folder, 'kept', 'results.json')), {
    code: 'OUTPUT_UNWRITABLE',
  });
  assert.deepEqual(readdirSync(join(folder, 'kept')), ['results.json'], 'no temporary file is left');
});

test('a system that lets nobody make folders is OUTPUT_UNWRITABLE and not a wait for ever', {
  skip: procMissing(),
}, () => {
  assert.throws(() => writeReport(report, '/proc/crucible-memory/results.json'), {
    code: 'OUTPUT_UNWRITABLE',
  });
});

function procMissing(): string | false {
  return process.platform === 'linux' ? false : '/proc exists on Linux only';
}

test('a full disk is OUTPUT_UNWRITABLE with the advice to free space', { skip: fullDeviceMissing() }, () => {
  assert.throws(() => writeReport(report, '/dev/full/results.json'), { code: 'OUTPUT_UNWRITABLE' });
});

function fullDeviceMissing(): string | false {
  return process.platform === 'linux' ? false : '/dev/full exists on Linux only';
}

test('a file that is no report is REPORT_INVALID with the place of the mistake', (t) => {
  const folder = folderWith(t, { 'broken.json': '{' });
  assert.throws(() => readReport(join(folder, 'broken.json')), { code: 'REPORT_INVALID' });
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...report, summary: { tests: 'many' } }));
  assert.throws(() => readReport(join(folder, 'other.json')), {
    code: 'REPORT_INVALID',
    message: /summary\.tests/,
  });
});

test('the published JSON Schema is made from the same types and describes a real report', () => {
  const schema = reportJsonSchema();
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  const { title, description, ...generated } = schema;
  assert.deepEqual(generated, z.toJSONSchema(RunReportSchema));
  assert.equal(title, 'crucible-memory report');
  assert.ok(description);
});
