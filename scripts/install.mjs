/**
 * Builds the native addons: run by npm as the install script, and by hand.
 * Does nothing when they are there, load, and are newer than their sources;
 * --force asks make even then. --isolate-only: core.node is there already, built
 * for another major, all of which it serves.
 *
 *   node scripts/install.mjs [--force] [--isolate-only]
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** core.node serves every Node; the one that calls V8 is built for this one's ABI. */
const addons = ['core.node', `isolate.abi${process.versions.modules}.node`].map((name) =>
  join(root, 'build', 'Release', name),
);

/** Said when a tool is missing; the running system's line comes first. */
const REMEDIES = {
  linux: 'on Debian run `apt-get install -y g++ make python3`',
  darwin: 'on macOS run `xcode-select --install`',
  win32:
    'on Windows run `winget install Python.Python.3.12 Microsoft.VisualStudio.2022.BuildTools` with the C++ workload',
};

if (process.argv.includes('--force') || !isUpToDate()) build();

function isUpToDate() {
  try {
    const builtMs = Math.min(...addons.map((addon) => statSync(addon).mtimeMs));
    addons.forEach(createRequire(import.meta.url));
    return sources().every((path) => statSync(path).mtimeMs <= builtMs);
  } catch {
    return false; // not built yet, or for another system
  }
}

function sources() {
  const native = join(root, 'native');
  const files = readdirSync(native, { recursive: true }).map((name) => join(native, name));
  return [join(root, 'binding.gyp'), ...files.filter((path) => /\.(cc|h)$/.test(path))];
}

function build() {
  const missing = missingTools();
  if (missing.length > 0) fail(missing);
  const nodeGyp = findNodeGyp();
  if (!nodeGyp) fail(['node-gyp (it comes with npm)']);

  const startedMs = Date.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      nodeGyp,
      'configure',
      'build',
      ...(process.argv.includes('--isolate-only') ? ['isolate'] : []),
      '--jobs=max',
    ],
    {
      cwd: root,
      env: withHeaders(process.env),
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (status === 0) {
    console.log(`crucible-memory: native addons built in ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
    return;
  }
  if (/Could not find any Visual Studio|not found: make|unable to detect.*compiler/i.test(stderr))
    fail(['a C++ compiler']);
  process.stderr.write(
    `${stdout}${stderr}\ncrucible-memory: the native addons could not be built, see above\n`,
  );
  process.exit(1);
}

/** Node's headers lie beside an installed Node: then none need to be downloaded. */
function withHeaders(env) {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const isSet = env.npm_config_nodedir || env.npm_package_config_node_gyp_nodedir;
  if (isSet || !existsSync(join(prefix, 'include', 'node', 'node.h'))) return env;
  return { ...env, npm_config_nodedir: prefix };
}

function missingTools() {
  const missing = [];
  if (!['python3', 'python'].some(isOnPath) && !process.env.npm_config_python && !process.env.PYTHON)
    missing.push('python3');
  if (process.platform === 'win32') return missing; // node-gyp itself looks for Visual Studio
  if (!isOnPath(process.env.MAKE ?? 'make')) missing.push('make');
  const compilers = process.env.CXX ? [process.env.CXX.trim().split(/\s+/)[0]] : ['g++'];
  const hasTools = process.platform !== 'darwin' || spawnSync('xcode-select', ['-p']).status === 0;
  if (!hasTools || !(process.platform === 'darwin' ? ['clang++', ...compilers] : compilers).some(isOnPath))
    missing.push(compilers[0]);
  return missing;
}

function isOnPath(name) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  const folders = name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => endings.some((ending) => isExecutable(join(folder, name + ending))));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** npm names its own in install scripts; by hand it is looked for beside Node and beside npm. */
function findNodeGyp() {
  const below = join('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const nodeFolder = dirname(realpathSync(process.execPath));
  const npmFolders = [
    process.env.npm_execpath && dirname(dirname(process.env.npm_execpath)),
    join(dirname(nodeFolder), 'lib', 'node_modules', 'npm'),
    join(nodeFolder, 'node_modules', 'npm'),
    ...(process.env.PATH ?? '').split(delimiter).map(npmFolderOf),
  ];
  const candidates = [
    process.env.npm_config_node_gyp,
    ...npmFolders.map((folder) => folder && join(folder, below)),
  ];
  return candidates.find((path) => path && existsSync(path));
}

/** npm on the PATH is a link to .../npm/bin/npm-cli.js. */
function npmFolderOf(folder) {
  const npm = join(folder, 'npm');
  return folder && existsSync(npm) ? dirname(dirname(realpathSync(npm))) : undefined;
}

function fail(missing) {
  const own = REMEDIES[process.platform] ?? REMEDIES.linux;
  const others = Object.values(REMEDIES).filter((remedy) => remedy !== own);
  const verb = missing.length > 1 ? 'are' : 'is';
  console.error(
    `crucible-memory cannot build its native addons because ${missing.join(' and ')} ${verb} missing: ${[own, ...others].join(', ')}.`,
  );
  process.exit(1);
}
