/**
 * Builds native/recording and native/process with their tests into a plain
 * executable, without Node, and runs it.
 *
 *   node scripts/native-tests.mjs [--sanitize address,undefined | thread]
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { nativeBuild, root, sanitizerFlags, sourcesUnder } from './native-build.mjs';

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { sanitize: { type: 'string' } } });
  const executable = await buildNativeTests(values.sanitize);
  // The first race or error ends the run; a thread that is left running at the end is an error too.
  const env = {
    ...process.env,
    TSAN_OPTIONS: 'halt_on_error=1:exitcode=66',
    ASAN_OPTIONS: 'detect_leaks=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  };
  process.exit(await run(executable, env));
}

/** Returns the path of the executable. @param {string | undefined} sanitizers as for -fsanitize */
async function buildNativeTests(sanitizers) {
  const link = nativeBuild({
    folder: join(root, '.cache', 'native-tests', sanitizers?.replaceAll(',', '-') ?? 'plain'),
    flags: [
      '-std=gnu++20',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-g',
      '-O1',
      '-pthread',
      ...sanitizerFlags(sanitizers),
    ],
  });
  const tests = readdirSync(join(root, 'test/native')).filter((name) => name.endsWith('.cc'));
  return link('native-tests', [
    ...sourcesUnder('native/recording'),
    ...sourcesUnder('native/process'),
    ...tests.map((name) => join('test/native', name)),
  ]);
}

function run(command, env) {
  return new Promise((resolve, reject) => {
    spawn(command, [], { stdio: 'inherit', env })
      .on('error', reject)
      .on('exit', (code, signal) => {
        if (signal) console.error(`${command} ended by ${signal}`);
        resolve(code ?? 1);
      });
  });
}
