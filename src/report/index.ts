export { type Chart, renderChart } from './chart.js';
export { makeFolder, readReport, reportJsonSchema, reportToJson, unwritable, writeReport } from './json.js';
export { memoryChart } from './memory-chart.js';
export { sparkline } from './sparkline.js';
export { type Outcome, outcomeOf, renderText, type TextOptions } from './text.js';
