/**
 * Starts a PostgreSQL of its own in a temporary folder, runs a command with
 * CRUCIBLE_MEMORY_TEST_POSTGRES_URL set, and stops the server again.
 *
 *   node scripts/with-postgres.mjs npm test
 *
 * Needs the server's programs: apt-get install postgresql (Debian),
 * brew install postgresql (macOS).
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const command = process.argv.slice(2);
if (command.length === 0) {
  console.error('usage: node scripts/with-postgres.mjs COMMAND [ARGUMENT...]');
  process.exit(2);
}

const programs = findPrograms();
const folder = mkdtempSync(join(tmpdir(), 'crucible-postgres-'));
const account = serverAccount();
if (account) chownSync(folder, account.uid, account.gid);
const asServer = account ? { uid: account.uid, gid: account.gid } : {};
const data = join(folder, 'data');
const port = await freePort();

run('initdb', ['-D', data, '-U', 'crucible', '-A', 'trust', '-E', 'UTF8', '--no-sync']);
run('pg_ctl', [
  '-D',
  data,
  '-w',
  '-l',
  join(folder, 'log'),
  '-o',
  `-p ${port} -k ${folder} -c fsync=off`,
  'start',
]);
process.on('SIGINT', () => {});
const url = `postgres://crucible@127.0.0.1:${port}/postgres`;
const child = spawn(command[0], command.slice(1), {
  stdio: 'inherit',
  env: { ...process.env, CRUCIBLE_MEMORY_TEST_POSTGRES_URL: url, CRUCIBLE_MEMORY_TEST_POSTGRES_DATA: data },
});
child.on('error', (error) => finish(2, error.message));
child.on('exit', (code) => finish(code ?? 1));

function finish(code, message) {
  if (message) console.error(message);
  spawnSync(join(programs, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], { ...asServer, cwd: folder });
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}

function run(program, args) {
  try {
    execFileSync(join(programs, program), args, {
      ...asServer,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    console.error(`${program} failed: ${error.stderr}`);
    process.exit(2);
  }
}

/** Debian keeps each version's programs in a folder of its own, outside the path. */
function findPrograms() {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(base, version, 'bin')), ...process.env.PATH.split(':')];
  const found = folders.find((path) => existsSync(join(path, 'initdb')) && existsSync(join(path, 'pg_ctl')));
  if (found !== undefined) return found;
  console.error(
    'PostgreSQL is not installed: apt-get install postgresql (Debian), brew install postgresql (macOS).',
  );
  process.exit(2);
}

/** The server refuses to run as root: its package's account does it then. */
function serverAccount() {
  if (process.getuid?.() !== 0) return null;
  const idOf = (flag) => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: idOf('-u'), gid: idOf('-g') };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
