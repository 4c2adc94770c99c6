import type { TrackerStats } from '../tracker/index.ts';
import type { Inspected, InspectedRecord } from '../tracker/inspect.ts';
import type { Journal } from './journal.ts';
import { type Finding, judgeRecord } from './judge.ts';
import { countOf, formatSpan, nameOfRecord, retryMessage, retryTime } from './messages.ts';
import type { InspectedSettings } from './settings.ts';

/** The state of the page's tracker. */
export type TrackerSeen =
  | { readonly kind: 'there'; readonly stats: TrackerStats }
  | { readonly kind: 'missing' }
  /** Its script has not loaded. `calls` wait for it. */
  | { readonly kind: 'loading'; readonly calls: number }
  | { readonly kind: 'silent'; readonly why: string };

/** Everything that one look has found. */
export type Seen = Inspected & {
  readonly tracker: TrackerSeen;
  /** Without options, a message that names the invalid one. */
  readonly settings: InspectedSettings | undefined | string;
};

type Buffer = Inspected['buffer'];

/** A problem, and the line of code that solves it, if there is one. */
export type Notice = { readonly key: string; readonly code: string };

export type RecordLine = {
  readonly key: string;
  readonly name: string;
  readonly kind: 'identify' | 'track';
  readonly age: string;
  readonly record: InspectedRecord;
  /** The relay's decisions about it. */
  readonly findings: () => readonly Finding[];
};

/** Everything that is shown. */
export type ViewModel = {
  readonly notices: readonly Notice[];
  readonly waiting: string;
  readonly oldest: string;
  readonly records: readonly RecordLine[];
  /** Says which records are listed, or why none is. */
  readonly listed: string;
  /** How full the token bucket is: a number from 0 to 1 for each of its places. */
  readonly pips: readonly number[];
  readonly tokens: string;
  readonly rate: string;
  /** Why sending waits after a failure, and for how long. Empty if it does not wait. */
  readonly pause: string;
  /** How far the visitor's clock is off. Empty if it is right, or unknown. */
  readonly clock: string;
  readonly tracked: string;
  /** Their sum is `tracked`. */
  readonly outcomes: readonly { readonly key: string; readonly count: number }[];
  readonly batches: Journal['batches'];
  readonly troubles: Journal['troubles'];
  readonly drifts: Journal['drifts'];
};

const NONE = '–';

// The limit is unknown, or its use can't be read.
const UNKNOWN: Pick<InspectedSettings, 'burst' | 'requestsPerMinute'> = { burst: 0, requestsPerMinute: 0 };

// An answer may take this long, so a clock that is off by less counts as right.
const MIN_CLOCK_OFFSET_MS = 2_000;

/** The result of one look and of all events. */
export function toViewModel(seen: Seen, journal: Journal): ViewModel {
  // The database's records are then those of another page, or of an earlier one.
  const buffer: Buffer =
    journal.degraded === undefined ? seen.buffer : { kind: 'unreadable', why: journal.degraded };
  const stats = statsSeen(seen.tracker, buffer);
  const { now, records } = buffer.kind === 'there' ? buffer : { now: 0, records: [] };
  const waits = stats?.buffered ?? records.length;
  return {
    notices: noticesOf(seen, buffer, journal),
    waiting: stats ? `${waits}` : NONE,
    oldest: ageOf(records[0], now),
    records: records.map((record) => toLine(record, now)),
    listed: listedOf(records.length, waits, buffer),
    ...bucketOf(seen, buffer),
    clock: clockOf(buffer),
    tracked: stats ? `${stats.tracked}` : NONE,
    outcomes: outcomesOf(stats),
    batches: journal.batches,
    troubles: journal.troubles,
    drifts: journal.drifts,
  };
}

/** The number of errors, for a closed inspector, which shows nothing else. */
export function briefOf({ errors }: Journal): string {
  return errors === 0 ? 'no errors' : countOf(errors, 'error');
}

/** The tracker's own counts, which may be in memory, or else those that an earlier page has left in the database. */
function statsSeen(tracker: TrackerSeen, buffer: Buffer): TrackerStats | undefined {
  if (tracker.kind === 'there') return tracker.stats;
  return buffer.kind === 'there' ? buffer.counts : undefined;
}

function ageOf(record: InspectedRecord | undefined, now: number): string {
  return record?.at === undefined ? NONE : formatSpan(now - record.at);
}

function toLine(record: InspectedRecord, now: number): RecordLine {
  return {
    key: record.id,
    name: nameOfRecord(record),
    kind: record.kind === 'user' ? 'identify' : 'track',
    age: ageOf(record, now),
    record,
    findings: () => judgeRecord(record),
  };
}

function listedOf(listed: number, waits: number, buffer: Buffer): string {
  if (listed > 0) return listed < waits ? `The oldest ${listed} of ${waits}` : 'Oldest first';
  if (waits > 0) return buffer.kind === 'there' ? 'They are being sent' : 'They can’t be listed';
  return 'No records are waiting';
}

function bucketOf({ settings }: Seen, buffer: Buffer): Pick<ViewModel, 'pips' | 'tokens' | 'rate' | 'pause'> {
  const limit = typeof settings === 'object' && buffer.kind !== 'unreadable' ? settings : UNKNOWN;
  const { fullAt = 0, pause, now } = buffer.kind === 'there' ? buffer : { pause: undefined, now: 0 };
  const missing = (Math.max(0, fullAt - now) / 60_000) * limit.requestsPerMinute;
  const tokens = Math.max(0, limit.burst - missing);
  const pips: number[] = [];
  while (pips.length < limit.burst) pips.push(Math.min(1, Math.max(0, tokens - pips.length)));
  return {
    pips,
    tokens: limit.burst === 0 ? NONE : `${Math.floor(tokens)} of ${limit.burst}`,
    rate: limit.burst === 0 ? '' : `, ${limit.requestsPerMinute} a minute`,
    pause: pause ? `Waits, ${retryTime(pause.until - now)}. ${retryMessage(pause.reason)}` : '',
  };
}

function clockOf(buffer: Buffer): string {
  const offset = buffer.kind === 'there' ? (buffer.clockOffset ?? 0) : 0;
  if (Math.abs(offset) < MIN_CLOCK_OFFSET_MS) return '';
  const way = offset > 0 ? 'ahead of' : 'behind';
  return `This clock is ${formatSpan(Math.abs(offset))} ${way} the relay’s.`;
}

function outcomesOf(stats: TrackerStats | undefined): ViewModel['outcomes'] {
  if (!stats) return [];
  const { buffered, delivered, rejected, dropped } = stats;
  const all = { waiting: buffered, delivered, rejected, ...dropped };
  return Object.entries(all).map(([name, count]) => ({ key: name.replaceAll('_', ' '), count }));
}

function noticesOf(seen: Seen, buffer: Buffer, { degraded }: Journal): readonly Notice[] {
  const { tracker, settings, optedOut } = seen;
  const endpoint = typeof settings === 'object' ? settings.endpoint : 'https://t.example.com';
  const notices = trackerNotices(tracker, endpoint);
  if (typeof settings === 'string') notices.unshift(notice(`Invalid option: ${settings}`));
  if (tracker.kind === 'there' && optedOut)
    notices.push(notice('The visitor has opted out. Calls make no records until', 'optIn()'));
  if (settings === undefined)
    notices.push(
      notice('To list waiting records, set the relay’s address:', `<relay-inspector endpoint="${endpoint}">`),
    );
  if (degraded !== undefined)
    notices.push(notice(`Records are lost with the page, and can’t be listed: ${degraded}`));
  else if (buffer.kind === 'unreadable') notices.push(notice(`The buffer can’t be read: ${buffer.why}`));
  return notices;
}

const notice = (key: string, code = ''): Notice => ({ key, code });

function trackerNotices(tracker: TrackerSeen, endpoint: string): Notice[] {
  switch (tracker.kind) {
    case 'missing':
      return [
        notice(
          'There is no tracker here. With the script tag, after the line that queues calls:',
          `<script async src="${endpoint}/tracker.js"></script>`,
        ),
        notice(
          'With npm, pass it your tracker:',
          `document.querySelector('relay-inspector').tracker = tracker`,
        ),
      ];
    case 'loading':
      return [
        notice(
          `The tracker’s script has not loaded: ${countOf(tracker.calls, 'call')} waiting. The console may say why.`,
        ),
      ];
    case 'silent':
      return [notice(`The tracker does not answer: ${tracker.why}`)];
    case 'there':
      return [];
  }
}
