export { decodeRecording, readRecording } from './reader.js';
export {
  type RecordedEvent,
  type RecordedPhase,
  Recording,
  type RecordingHeader,
  type Series,
} from './recording.js';
export { encodeRecording, type RecordingOptions, RecordingWriter } from './writer.js';
