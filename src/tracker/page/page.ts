import type { Rejection } from '../../contract/answer.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { Call, Entry, StoredEntry } from '../record/call.ts';
import type { FlushEnd, Outcome, Pause } from '../record/outcome.ts';
import type { Visitor } from '../record/visitor.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { Emit } from './events.ts';
import type { Platform } from './platform.ts';
import type { Sendable } from './sendable.ts';
import type { Settings } from './settings.ts';

/** In the order in which they were added. No `Map`: pages define globals of their own, `Map` among them. */
export type ById<T> = { [id: string]: T };

/** The visitor as this page last read it from the database, which is the authority. */
type VisitorState = {
  visitor: Visitor;
  /** Whether the visitor was read from the database. */
  isConfirmed?: boolean;
  /** Whether `localStorage` holds a hint of the visitor. */
  hasHint?: boolean;
  /** Whether a spill has taken the hint's place. */
  isHintTaken?: boolean;
  /** How often the visitor has opted out or in, across all tabs. Odd while opted out. */
  choices: number;
  /** Whether this task has already looked up the visitor's choice. */
  isChoiceFresh?: boolean;
  /** The visitor read by an append that is still in flight. */
  seen?: Visitor;
  /** `choices`, with a choice of this page that the database does not have yet. */
  chosen?: number | undefined;
  /** Random ids for so many `choices`. A retry uses the same: an append that failed may have been written. */
  ids?: Pick<Visitor, 'choices' | 'device' | 'anonymousId'>;
};

/** The calls that are not in the database yet. */
type CallState = {
  /** The number of calls that the page has made. */
  seq: number;
  /** Calls spilled by other pages. Absent until they are read. */
  spilled?: readonly Call[] | undefined;
  /** The spills in `localStorage`, by key. */
  spillTexts: ById<string | null | undefined>;
  /** Calls gathered for the next transaction. */
  gathered?: Call[] | undefined;
  /** Calls in the transaction that is in flight. */
  writing: readonly Call[];
  /** Resolves when the last of these groups is durable. */
  written: Promise<void>;
  /** Resolves when the calls made so far are written, or have failed. */
  drained: Promise<void>;
  /** Resolves when the database was first read. Absent until the engine starts. */
  begun?: Promise<void>;
  /** Whether an add-on still waits for the anonymous id of these calls: an unload must not send them. */
  awaitsId?: boolean;
};

/**
 * The records that a page knows to be unsettled: its own, and those last found at the head of the buffer.
 * An unload has no other source. Neither the database nor a lock answers in time, and a page that asks is not
 * kept in the back/forward cache.
 */
type UnsettledState = {
  unsettled: ById<StoredEntry>;
  /** Whether the buffer holds no other records, as far as the page knows. */
  isWhole: boolean;
  /** All records up to this row are known. */
  reach: number;
  /** How many records were skipped when the buffer was last read. */
  skippedCount: number;
};

/** If more records than this are refused alone in a row, the fault must be on the way to the relay. */
export const MIN_SET_ASIDE = 3;

/** State that flushes keep from one to the next. */
type FlushState = {
  /**
   * Halved while a batch is refused, down to the one record at fault. Doubled with each
   * batch that is accepted.
   */
  batchSize: number;
  /**
   * Records that were refused alone, with the reason.
   * They are skipped until another record is accepted, and are at fault then. A firewall that blocks one
   * record answers like one that blocks all.
   */
  setAside: readonly (StoredEntry & Pick<Rejection, 'issues'>)[];
  /** How many may be set aside. Doubled each time that it was too few: bad records may follow each other. */
  maxSetAside: number;
  /** The pause of all tabs, as this page last saw it. */
  pause?: Pause | undefined;
  flushing?: Promise<FlushEnd> | undefined;
  /** Whether another flush was asked for since the last step of this one began. */
  isAskedAgain?: boolean;
  /** Records made before this moment of the page's monotonic clock are due, full batch or not. */
  dueBefore: number;
  /** How many records waited after an append since the last step began. */
  appendedMeanwhile: number;
  /** Cancels the scheduled flush. */
  cancelFlush?: (() => void) | undefined;
  /** Whether the last flush found that records have to wait. */
  mustWait?: boolean;
};

/** A request that outlives the page. */
export type UnloadRequest = {
  readonly batch: readonly Entry[];
  readonly answer: Promise<Outcome>;
  /** Absent until the response has come. */
  outcome?: Outcome;
};

/** State of a page that may unload at any moment. */
type UnloadState = {
  /** Requests sent during unload, until a flush has settled them. */
  sentOnUnload: readonly UnloadRequest[];
  /** Whether a visitor has seen the page. */
  isActive?: boolean;
  /** Until when the calls of a hidden page may be its last, by its monotonic clock. 0 while it is visible. */
  leavesUntil: number;
  isTaskOpen?: boolean;
  /** When the allowance for a hidden page's requests is full again, by its monotonic clock. */
  leaveFullAt: number;
  /** Withdraws the request that was left with the browser. */
  armed?: AbortController;
  /** Whether that request was renewed a moment ago. `hasChanged`: the records have changed since. */
  isResting?: boolean;
  hasChanged?: boolean | undefined;
  askSync?: () => void;
};

type ClockState = {
  /** How far the relay's clock is ahead of the page's monotonic one, as well as the page knows it. */
  relayLead: number;
  /** How far the visitor's clock was ahead of it at that moment. Absent until an offset is known. */
  learntLead?: number;
  /** Whether a response has confirmed the clock in this page load. */
  isClockConfirmed?: boolean;
};

/** What all parts of a tracker share in one page load. */
export type Page = Omit<Platform, 'exclusive'> &
  ClockState &
  VisitorState &
  CallState &
  UnsettledState &
  FlushState &
  UnloadState & {
    readonly settings: Settings;
    readonly emit: Emit;
    /** The name of everything that the trackers of an endpoint share: database, lock, sync event. */
    readonly endpointName: string;
    /** The id of the page load. */
    readonly session: string;
    /** An add-on may wrap it before the engine starts. */
    records: RecordStore;
    /** Runs one task at a time, across all tabs. */
    readonly exclusive: Exclusive;
    tokens?: Sendable | undefined;
    /** Whether records no longer outlive the page. */
    isDegraded?: boolean;
  };
