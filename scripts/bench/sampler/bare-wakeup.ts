import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Measures bare_wakeup.cc, which does nothing but wake up at 1 kHz.
 * Undefined where it cannot be compiled (it is for Linux).
 */
export class BareWakeup {
  readonly percentOfCore: number[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'crucible-memory-wakeup-'));
  readonly #program = join(this.#folder, 'bare_wakeup');

  static compile(): BareWakeup | undefined {
    if (process.platform !== 'linux') return undefined;
    const bare = new BareWakeup();
    // This file runs as dist/scripts/bench/sampler/bare-wakeup.js.
    const source = resolve(import.meta.dirname, '../../../../scripts/bench/sampler/bare_wakeup.cc');
    execFileSync(process.env.CXX ?? 'g++', ['-O2', '-std=c++17', source, '-o', bare.#program]);
    return bare;
  }

  measure(durationMs: number): void {
    this.percentOfCore.push(Number(execFileSync(this.#program, [String(durationMs)]).toString()));
  }

  end(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
