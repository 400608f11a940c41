/** `crucible-memory/capture`: what a program may say of itself, and recording it from code. */
export type { CaptureBudget } from './budget.js';
export { Capture, type CaptureGroup, type CaptureOptions, startCapture } from './capture.js';
export { mark, operation } from './program-marks.js';
