/** A registry that checks versions against ever new ranges; semver keeps the last thousand it parsed. */
import semver from 'semver';

export function operation(i) {
  const range = `^${i % 50}.${i % 1000}.${i}`;
  return semver.satisfies(`${i % 50}.${(i % 1000) + 1}.0`, range) || i % 50 === 0
    ? undefined
    : { error: range };
}
