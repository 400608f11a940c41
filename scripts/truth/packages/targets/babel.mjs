/** A build server that compiles one file after another. */
import { transformSync } from '@babel/core';
import presetEnv from '@babel/preset-env';

export function operation(i) {
  const source = `export class C${i} { #x = ${i}; get x() { return this.#x ?? { ...this }; } async f() { await this.x; } }`;
  const { code } = transformSync(source, {
    filename: `/project/file-${i}.js`,
    configFile: false,
    babelrc: false,
    presets: [[presetEnv, { targets: { node: '8' } }]],
  });
  return { bytes: code.length };
}
