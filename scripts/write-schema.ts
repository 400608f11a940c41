import { writeFileSync } from 'node:fs';
import { reportJsonSchema } from '../src/report/index.js';

/** Writes dist/result.schema.json, which the package publishes, from the types of the results. */
const path = new URL('../result.schema.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
