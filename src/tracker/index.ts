export type { DropReason, Listener, TrackerEvents } from './ends.ts';
export type { AnyEvents, EventsOf } from './event-types.ts';
export type { Profile } from './make-record.ts';
export { RecordError } from './make-record.ts';
export type { TrackerOptions } from './options.ts';
export type { TrackerStats } from './stats.ts';
export type { FlushResult, Tracker } from './tracker.ts';
export { createTracker } from './tracker.ts';
