import { writeFile } from 'node:fs/promises';
import type { MemoryTestResult } from '../diagnosis/index.js';
import { RSS_CHANNEL } from '../recording/channels.js';
import { readRecording } from '../recording/index.js';
import { renderChart } from '../report/index.js';

/** Draws the memory of one test beside its recording, as an SVG of the same name. Returns the path. */
export async function writeChart(result: MemoryTestResult, recordingPath: string): Promise<string> {
  const path = recordingPath.replace(/\.cmrec$/, '.svg');
  const recording = await readRecording(recordingPath);
  const rss = recording.series(RSS_CHANNEL);
  const floor = recording.series('floor_live_bytes');
  const svg = renderChart({
    title: `${result.serviceType}: ${result.scenario}`,
    subtitle: `${result.leakDetection.verdict}: ${result.leakDetection.explanation}`,
    durationMs: recording.endMs,
    rss: { timesMs: rss?.timesMs ?? [], bytes: rss?.values ?? [] },
    floor: Array.from(floor?.timesMs ?? [], (timeMs, i) => ({ timeMs, bytes: floor?.values[i] ?? 0 })),
    phases: recording.phases().map(({ phase, startMs, endMs }) => ({ name: phase, startMs, endMs })),
  });
  await writeFile(path, svg, { mode: 0o600 });
  return path;
}
