/** A file server in which every user watches a pattern of their own. */
import micromatch from 'micromatch';

export function operation(i) {
  return micromatch.isMatch(`users/${i}/report.txt`, `users/${i}/**/*.{txt,md}`)
    ? undefined
    : { error: 'no match' };
}
