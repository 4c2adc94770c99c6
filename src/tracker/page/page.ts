import type { Rejection } from '../../contract/answer.ts';
import { nameOf, type Settings } from '../options.ts';
import type { Platform } from '../platform/platform.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { Call, Entry, StoredEntry } from '../record/call.ts';
import type { FlushEnd, Outcome, Pause } from '../record/outcome.ts';
import { randomId } from '../record/random-id.ts';
import { NO_VISITOR, type Visitor } from '../record/visitor.ts';
import type { RecordStore } from '../store/record-store.ts';
import { leadNow } from './clock.ts';
import type { Emit } from './events.ts';
import type { Sendable } from './sendable.ts';

/** What a tracker is made of, beside its add-ons. */
export type TrackerParts = { readonly settings: Settings; readonly platform: Platform; readonly emit: Emit };

/** The visitor as this page last read it in the database, which is the authority. */
export type VisitorState = {
  visitor: Visitor;
  /** Whether the database has answered. */
  isConfirmed?: boolean;
  /** Whether `localStorage` has a hint of the visitor. */
  hasHint?: boolean;
  /** How often the visitor has opted out or in, as all tabs know it: odd while the visitor is out. */
  choices: number;
  /** The next append brings a visitor back who has opted out, wherever that is known. */
  bringsBack?: boolean;
};

/** The calls that are not in the database yet. */
export type CallState = {
  /** How many calls the page has made. */
  seq: number;
  /** Those of earlier pages; absent until they were read. */
  spilled?: readonly Call[];
  /** What lies in `localStorage`, by key. */
  readonly spillTexts: Map<string, string | null | undefined>;
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
export type UnsettledState = {
  unsettled: Map<string, StoredEntry>;
  /** Whether the buffer holds no others, as far as the page knows. */
  isWhole?: boolean;
  /** Up to this row all of them are known. */
  reach: number;
  /** How many were not to be sent when the buffer was last read. */
  skippedCount: number;
};

/** What flushes keep from one to the next. */
export type FlushState = {
  /** Halved while a batch is refused, down to the one record at fault; doubled again with each that is taken. */
  batchSize: number;
  /**
   * Records that were refused by themselves, and what for. They are passed over until another record is taken, and are at
   * fault then: a firewall that objects to one record answers as one that objects to all.
   */
  readonly setAside: Map<string, StoredEntry & Pick<Rejection, 'issues'>>;
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

/** What a page needs that may be left at any moment. */
export type UnloadState = {
  readonly underWay: Set<readonly Entry[]>;
  /** What was sent as the page was left, and what became of it. */
  sentOnUnload: Map<readonly Entry[], Promise<Outcome>>;
  hasFailed?: boolean;
  /** Whether a visitor has seen the page. */
  isActive?: boolean;
  isHidden?: boolean;
  isTaskOpen?: boolean;
  /** Of the requests of a hidden page: when its allowance is full again. */
  leaveFullAt: number;
  /** Takes back what was left with the browser. */
  armed?: AbortController;
  isArmedSoon?: boolean;
  askSync?: () => void;
};

export type ClockState = {
  /** What the relay's clock is ahead of the page's monotonic one, as well as the page knows it. */
  relayLead: number;
  /** What the visitor's clock was ahead when that was learnt; absent until then. */
  learntLead?: number;
  /** Whether an answer has told since the page was loaded. */
  isClockConfirmed?: boolean;
};

/** What all parts of a tracker share in one page load. */
export type Page = Omit<Platform, 'exclusive'> &
  TrackerParts &
  ClockState &
  VisitorState &
  CallState &
  UnsettledState &
  FlushState &
  UnloadState & {
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

export function createPage(parts: TrackerParts): Page {
  const { settings, platform, emit } = parts;
  const name = nameOf(settings.endpoint);
  const session = randomId(platform.chance.bytes);
  const activated = platform.activated();
  const records = platform.store(name, (why) => {
    page.isDegraded = true;
    emit('degraded', { reason: `${why}` });
  });
  // Without a prototype: what is absent is not to be found among names that the page has put on `Object.prototype`.
  const page: Page & { readonly __proto__: null } = {
    __proto__: null,
    ...platform,
    ...parts,
    endpointName: name,
    session,
    records,
    exclusive: platform.exclusive(name),
    relayLead: leadNow(platform),
    visitor: NO_VISITOR,
    choices: 0,
    seq: 0,
    spillTexts: new Map(),
    writing: [],
    written: activated,
    drained: activated,
    unsettled: new Map(),
    reach: 0,
    skippedCount: 0,
    batchSize: settings.batchSize,
    setAside: new Map(),
    appendedMeanwhile: 0,
    underWay: new Set(),
    sentOnUnload: new Map(),
    leaveFullAt: 0,
  };
  return page;
}
