/**
 * Builds native/recording and native/process with their tests into a plain
 * executable, without Node, and runs it.
 *
 *   node scripts/native-tests.mjs [--sanitize address,undefined | thread]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = process.env.CXX ?? 'g++';
const folders = ['native/recording', 'native/process', 'test/native'];

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
  process.exit(await run(executable, [], { env }));
}

/** Returns the path of the executable. @param {string | undefined} sanitizers as for -fsanitize */
export async function buildNativeTests(sanitizers) {
  const output = join(root, '.cache', 'native-tests', sanitizers?.replaceAll(',', '-') ?? 'plain');
  mkdirSync(output, { recursive: true });
  const flags = [
    '-std=gnu++20',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-g',
    '-O1',
    '-fno-omit-frame-pointer',
    '-pthread',
  ];
  if (sanitizers) flags.push(`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all');

  const newestHeaderMs = Math.max(...filesOf(/\.h$/).map(modifiedMs));
  const objects = [];
  const stale = [];
  for (const source of filesOf(/\.cc$/).filter(isForThisSystem)) {
    const object = join(output, `${basename(dirname(source))}-${basename(source, '.cc')}.o`);
    objects.push(object);
    if (!existsSync(object) || modifiedMs(object) < Math.max(modifiedMs(source), newestHeaderMs))
      stale.push(['-c', source, '-o', object]);
  }
  await allOf(stale, (compile) => run(compiler, [...flags, ...compile]));
  const executable = join(output, 'native-tests');
  await allOf([objects], (all) => run(compiler, [...flags, ...all, '-ldl', '-o', executable]));
  return executable;
}

function filesOf(ending) {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => ending.test(name))
      .map((name) => join(root, folder, name)),
  );
}

function isForThisSystem(path) {
  const own =
    { linux: ['linux', 'posix'], darwin: ['mac', 'posix'], win32: ['windows'] }[process.platform] ?? [];
  const system = /_(linux|mac|windows|posix)\.cc$/.exec(path)?.[1];
  return system === undefined || own.includes(system);
}

function modifiedMs(path) {
  return statSync(path).mtimeMs;
}

/** A few at a time; the first that fails ends everything. */
async function allOf(items, work) {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item; item = rest.shift()) if ((await work(item)) !== 0) process.exit(1);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    spawn(command, args, { stdio: 'inherit', ...options })
      .on('error', reject)
      .on('exit', (code, signal) => {
        if (signal) console.error(`${command} ended by ${signal}`);
        resolve(code ?? 1);
      });
  });
}
