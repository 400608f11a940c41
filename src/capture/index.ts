export { Capture, type CaptureGroup, type CaptureOptions, startCapture } from './capture.js';
