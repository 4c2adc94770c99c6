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

/** In the order in which they were added. No `Map`: pages have names of their own, that one among them. */
export type ById<T> = { [id: string]: T };

/** The visitor as this page last read it in the database, which is the authority. */
type VisitorState = {
  visitor: Visitor;
  /** Whether the database has answered. */
  isConfirmed?: boolean;
  /** Whether `localStorage` has a hint of the visitor. */
  hasHint?: boolean;
  /** What the page has written down stands in the hint's place. */
  isHintTaken?: boolean;
  /** How often the visitor has opted out or in, as all tabs know it: odd while the visitor is out. */
  choices: number;
  /** Whether this task has looked for the visitor's choice. */
  isChoiceFresh?: boolean;
  /** What an append that has not answered has read. */
  seen?: Visitor;
  /** The same with a choice of this page that the database has yet to learn. */
  chosen?: number | undefined;
  /** Random ids for a visitor who has opted out or in so often: one whose append has failed may have been written. */
  ids?: Pick<Visitor, 'choices' | 'device' | 'anonymousId'>;
};

/** The calls that are not in the database yet. */
type CallState = {
  /** How many calls the page has made. */
  seq: number;
  /** Those of earlier pages; absent until they were read. */
  spilled?: readonly Call[];
  /** What lies in `localStorage`, by key. */
  spillTexts: ById<string | null | undefined>;
  /** Those gathered for the next transaction. */
  gathered?: Call[] | undefined;
  /** Those in the transaction that is under way. */
  writing: readonly Call[];
  /** Resolves when the last of these groups is durable. */
  written: Promise<void>;
  /** Resolves when the calls taken so far are written. */
  drained: Promise<void>;
  /** Resolves when the database was first read; absent until anything has begun. */
  begun?: Promise<void>;
};

/**
 * The records that a page has at hand and knows to be unsettled: its own, and those the buffer was last found to begin
 * with. A page that is being left can ask nobody else: neither the database nor a lock answers in time, and a page that
 * asks is not kept in the back/forward cache.
 */
type UnsettledState = {
  unsettled: ById<StoredEntry>;
  /** Whether the buffer holds no others, as far as the page knows. */
  isWhole: boolean;
  /** Up to this row all of them are known. */
  reach: number;
  /** How many were not to be sent when the buffer was last read. */
  skippedCount: number;
};

/** So many records in a row may be refused by themselves before the fault must lie on the way. */
export const MIN_SET_ASIDE = 3;

/** What flushes keep from one to the next. */
type FlushState = {
  /** Halved while a batch is refused, down to the one record at fault; doubled again with each that is taken. */
  batchSize: number;
  /**
   * Records that were refused by themselves, and what for. They are passed over until another record is taken, and are at
   * fault then: a firewall that objects to one record answers as one that objects to all.
   */
  setAside: readonly (StoredEntry & Pick<Rejection, 'issues'>)[];
  /** The same number, doubled each time that it was too few: bad records may stand one behind the other. */
  maxSetAside: number;
  /** The pause of all tabs, as this page last saw it. */
  pause?: Pause | undefined;
  flushing?: Promise<FlushEnd> | undefined;
  nextFlush?: Promise<FlushEnd> | undefined;
  /** How many records waited after an append in the midst of a flush. */
  appendedMeanwhile: number;
  /** Calls off the flush that comes by itself. */
  cancelFlush?: (() => void) | undefined;
  /** The last flush found that records have to wait. */
  mustWait?: boolean;
};

/** A request that outlives the page. */
export type UnloadRequest = {
  readonly batch: readonly Entry[];
  readonly answer: Promise<Outcome>;
  /** Absent until the answer has come. */
  outcome?: Outcome;
};

/** What a page needs that may be left at any moment. */
type UnloadState = {
  /** What was sent as the page was left, until a flush has settled it. */
  sentOnUnload: readonly UnloadRequest[];
  /** Whether a visitor has seen the page. */
  isActive?: boolean;
  /** Of a hidden page: until when its calls may be its last, by its monotonic clock; 0 while it is visible. */
  leavesUntil: number;
  isTaskOpen?: boolean;
  /** Of the requests of a hidden page: when its allowance is full again. */
  leaveFullAt: number;
  /** Takes back what was left with the browser. */
  armed?: AbortController;
  /** It was left with the browser a moment ago, and has changed since. */
  isResting?: boolean;
  hasChanged?: boolean;
  askSync?: () => void;
};

type ClockState = {
  /** What the relay's clock is ahead of the page's monotonic one, as well as the page knows it. */
  relayLead: number;
  /** What the visitor's clock was ahead when that was learnt; absent until then. */
  learntLead?: number;
  /** Whether an answer has told since the page was loaded. */
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
    /** Of all that the trackers of an endpoint share: database, lock, sync event. */
    readonly endpointName: string;
    /** The page load. */
    readonly session: string;
    readonly records: RecordStore;
    /** One task at a time, over all tabs. */
    readonly exclusive: Exclusive;
    tokens?: Sendable | undefined;
    /** Records no longer outlive the page. */
    isDegraded?: boolean;
  };
