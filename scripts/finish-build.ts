import { chmodSync, writeFileSync } from 'node:fs';
import { reportJsonSchema } from '../src/report/index.js';

/** What the compiler leaves to be done in dist/. */

/** The package publishes it: what the types of the results say. */
const schema = new URL('../result.schema.json', import.meta.url);
writeFileSync(schema, `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);

// The compiler sets no executable bit, and npx does so only when it first links a folder's command:
// a fresh clone where an older one lay would be refused.
chmodSync(new URL('../src/cli/main.js', import.meta.url), 0o755);
