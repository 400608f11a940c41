/** Records itself at 1 kHz, its event loop blocked, until it is killed: node killed.js FILE. */
import { writeSync } from 'node:fs';
import { startCapture } from '../../../../src/capture/index.js';

const capture = startCapture({
  path: process.argv[2] as string,
  rateHz: 1000,
  detailIntervalMs: 100,
  header: {},
});
capture.watchHeap({ spacesIntervalMs: 100 });
const kept: object[] = [];
writeSync(1, 'ready\n');
for (let i = 0; ; i++) kept[i % 1000] = { i };
