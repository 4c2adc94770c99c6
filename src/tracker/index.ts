export { RecordError } from './make-record.ts';
export { createTracker } from './tracker.ts';
export type { AnyEvents, FlushResult, Tracker } from './tracker.ts';
export type { Profile } from './make-record.ts';
export type { TrackerOptions } from './options.ts';
export type { DropReason, Listener, TrackerEvents } from './ends.ts';
