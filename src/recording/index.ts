export { decodeRecording, readRecording } from './reader.js';
export {
  type RecordedEvent,
  type RecordedGroup,
  type RecordedPhase,
  Recording,
  type RecordingHeader,
  type Series,
  type SeriesSummary,
} from './recording.js';
export { csvLines, ndjsonLines, type SampleRow, sampleRows } from './rows.js';
export { encodeRecording, type RecordingOptions, RecordingWriter } from './writer.js';
