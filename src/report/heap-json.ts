import type { HeapDiff, HeapNodeDetail, HeapOverview } from '../snapshot/index.js';
import { plainJson } from './plain-text.js';

/**
 * What `diff` and `inspect` know, as the one document that `--format json` prints. Ends with a newline.
 * @param toolVersion of this package
 */
export function heapToJson(answer: HeapDiff | HeapOverview | HeapNodeDetail, toolVersion: string): string {
  const document = { schemaVersion: 1, tool: 'crucible-memory', toolVersion, ...answer };
  return `${plainJson(JSON.stringify(document, null, 2))}\n`;
}
