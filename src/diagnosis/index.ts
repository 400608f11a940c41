export * from './comparison.js';
export * from './figures.js';
export * from './leak.js';
export * from './measurement.js';
export * from './result.js';
export * from './suspect.js';
export * from './violation.js';
