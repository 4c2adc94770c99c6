export type { DropReason, Listener, TrackerEvents } from './ends.ts';
export type { Profile } from './make-record.ts';
export { RecordError } from './make-record.ts';
export type { TrackerOptions } from './options.ts';
export type { TrackerStats } from './stats.ts';
export type { Step, TrackerCall } from './steps.ts';
export type { AnyEvents, FlushResult, Tracker } from './tracker.ts';
export { createTracker } from './tracker.ts';
