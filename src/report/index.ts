export {
  analysisLine,
  type FleetFigures,
  type NamedVerdict,
  renderAnalysis,
  renderFleet,
} from './analysis.js';
export { type Chart, renderChart } from './chart.js';
export { renderComparison } from './comparison.js';
export { renderHeapDiffMarkdown } from './heap-diff-markdown.js';
export { renderHeapDiff } from './heap-diff-text.js';
export { heapToJson } from './heap-json.js';
export { renderHeapNode } from './heap-node-text.js';
export { renderHeapOverview } from './heap-overview-text.js';
export type { HeapTextOptions } from './heap-page.js';
export { makeFolder, readReport, reportJsonSchema, reportToJson, unwritable, writeReport } from './json.js';
export { memoryChart } from './memory-chart.js';
export { sparkline } from './sparkline.js';
export { type Outcome, outcomeOf, renderText, type TextOptions } from './text.js';
