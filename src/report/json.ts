import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { type RunReport, RunReportSchema } from '../diagnosis/index.js';
import { CrucibleMemoryError, messageOf } from '../errors.js';

/** A run's report as a file, and back. */

/** The report as the one document that `--format json` prints. Ends with a newline. */
export function reportToJson(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/**
 * Writes the report whole or not at all: into a file beside it that then takes
 * its place.
 * @throws OUTPUT_UNWRITABLE
 */
export function writeReport(report: RunReport, path: string): void {
  const target = resolve(path);
  const folder = dirname(target);
  const temporary = join(folder, `.${basename(target)}.${process.pid}.tmp`);
  try {
    makeFolder(folder);
    writeDurably(temporary, reportToJson(report));
    renameSync(temporary, target);
  } catch (error) {
    discard(temporary);
    throw unwritable(target, error);
  }
}

/**
 * @throws REPORT_INVALID when the file is no report of this version, with what is wrong
 */
export function readReport(path: string): RunReport {
  const parsed = RunReportSchema.safeParse(parseFile(path));
  if (parsed.success) return parsed.data;
  throw new CrucibleMemoryError('REPORT_INVALID', {
    what: `${path} is not a report of crucible-memory`,
    why: z.prettifyError(parsed.error).split('\n').slice(0, 6).join('\n'),
    fix: 'give a results.json that `crucible-memory run` of this major version has written',
  });
}

/** JSON Schema (draft 2020-12) of a report, from the same source as its types. */
export function reportJsonSchema(): Record<string, unknown> {
  return {
    title: 'crucible-memory report',
    description: 'What `crucible-memory run --format json` prints and exportResults() writes.',
    ...z.toJSONSchema(RunReportSchema),
  };
}

/**
 * Makes a folder and those above it. Not mkdir's own `recursive`, which tries
 * for ever where the system says that a parent that is there is not (/proc).
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path);
}

/** Best effort: what could not be written may not be removable either, and the first reason is the one to tell. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w');
  try {
    const data = Buffer.from(text);
    for (let written = 0; written < data.length; ) written += writeSync(file, data, written);
    // A full disk or a lost network folder may be reported only here.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CrucibleMemoryError('REPORT_INVALID', {
      what: `cannot read the report ${path}`,
      why: messageOf(error),
      fix: 'give a results.json that `crucible-memory run` has written',
      cause: error,
    });
  }
}

/** OUTPUT_UNWRITABLE with advice that fits the system's own reason. */
export function unwritable(path: string, error: unknown): CrucibleMemoryError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fixes: Record<string, string> = {
    ENOSPC: 'free space on that disk, or write to another one with --output',
    EDQUOT: 'free space within your quota, or write elsewhere with --output',
    EROFS: 'that file system is read-only: choose another folder with --output',
    ENOTDIR: 'a part of that path is a file: choose another folder with --output',
    EISDIR: 'that path is a folder: give the path of a file',
  };
  return new CrucibleMemoryError('OUTPUT_UNWRITABLE', {
    what: `cannot write ${path}`,
    why: messageOf(error),
    fix: fixes[code] ?? 'choose a folder that this user may write to, with --output',
    cause: error,
  });
}
