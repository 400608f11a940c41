import { writeFile } from 'node:fs/promises';
import { readRecording } from '../recording/index.js';
import { memoryChart } from '../report/index.js';

/** Draws the memory of one recording beside it, as an SVG of the same name. */
export async function writeChart(recordingPath: string, title: string): Promise<string> {
  const path = recordingPath.replace(/\.cmrec$/, '.svg');
  await writeFile(path, memoryChart(await readRecording(recordingPath), { title }), { mode: 0o600 });
  return path;
}
