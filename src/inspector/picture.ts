import { refill } from '../pacing/token-bucket.ts';
import { isOver, paceOf } from '../tracker/delivery/send-rate.ts';
import type { Entry } from '../tracker/store/record-store.ts';
import { statsOf, type TrackerStats } from '../tracker/store/stats.ts';
import type { Journal } from './journal.ts';
import type { Found } from './peek.ts';
import type { Known } from './settings.ts';
import { againInWords, retryInWords, some, spanInWords } from './words.ts';

/** How the tracker of the page is found. */
export type TrackerSeen =
  | { readonly kind: 'there'; readonly stats: TrackerStats }
  | { readonly kind: 'missing' }
  /** Its script has not loaded. `calls` wait for it. */
  | { readonly kind: 'loading'; readonly calls: number }
  | { readonly kind: 'silent'; readonly why: string };

/** All that one look has seen. */
export type Seen = {
  readonly at: number;
  readonly tracker: TrackerSeen;
  /** A text says why there are none: an impossible option. */
  readonly known: Known | undefined | string;
  readonly found: Found;
  /** The visitor has opted out. */
  readonly isOut: boolean;
};

/** Something that is missing or off, and the line to put it right by, if there is one. */
export type Notice = { readonly key: string; readonly code: string };

export type RecordLine = {
  readonly key: string;
  readonly name: string;
  readonly kind: 'identify' | 'track';
  readonly age: string;
  readonly entry: Entry;
};

/** What is shown. */
export type Picture = {
  readonly notices: readonly Notice[];
  readonly waiting: string;
  readonly oldest: string;
  readonly records: readonly RecordLine[];
  /** Which of them are listed, or why none are. */
  readonly listed: string;
  /** How full the bucket is: a number for each token it holds, 1 for a whole one. */
  readonly pips: readonly number[];
  readonly tokens: string;
  readonly rate: string;
  /** Why sending waits after a failure, and for how long; empty where it does not. */
  readonly pause: string;
  readonly made: string;
  /** Their sum is what was made. */
  readonly ends: readonly { readonly key: string; readonly count: number }[];
  readonly batches: Journal['batches'];
  readonly troubles: Journal['troubles'];
  readonly drifts: Journal['drifts'];
};

const NONE = '–';

// Nobody says how large it is, or it can't be read what is left of it.
const UNKNOWN: Pick<Known, 'burst' | 'requestsPerMinute'> = { burst: 0, requestsPerMinute: 0 };

/** What one look and all that was told come to. */
export function pictureOf(seen: Seen, journal: Journal): Picture {
  const { at, tracker } = seen;
  // What the database holds is then another page's, or an earlier one's.
  const found: Found =
    journal.degraded === undefined ? seen.found : { kind: 'unreadable', why: journal.degraded };
  const stats = statsSeen(tracker, found);
  const oldest = found.kind === 'there' ? found.oldest : [];
  const waits = stats?.buffered ?? oldest.length;
  return {
    notices: noticesOf(seen, journal),
    waiting: stats ? String(waits) : NONE,
    oldest: oldest[0] ? spanInWords(at - oldest[0].at) : NONE,
    records: oldest.map((entry) => lineOf(entry, at)),
    listed: listedOf(oldest.length, waits, found),
    ...bucketOf({ ...seen, found }),
    made: stats ? String(stats.made) : NONE,
    ends: endsOf(stats),
    batches: journal.batches,
    troubles: journal.troubles,
    drifts: journal.drifts,
  };
}

/** The name of a record: the event's, or `identify`. */
export function nameOfRecord({ record }: Entry): string {
  return record.kind === 'event' ? record.eventName : 'identify';
}

/** The tracker's own counts, for it may keep them in memory; or those in the database, that an earlier page has left. */
function statsSeen(tracker: TrackerSeen, found: Found): TrackerStats | undefined {
  if (tracker.kind === 'there') return tracker.stats;
  return found.kind === 'there' ? statsOf(found.counts) : undefined;
}

/** For who has it closed, and looks at nothing else: what was told. */
export function briefOf({ errors }: Journal): string {
  return errors === 0 ? 'no errors' : some(errors, 'error');
}

function lineOf(entry: Entry, at: number): RecordLine {
  const { id, kind } = entry.record;
  return {
    key: id,
    name: nameOfRecord(entry),
    kind: kind === 'user' ? 'identify' : 'track',
    age: spanInWords(at - entry.at),
    entry,
  };
}

function listedOf(listed: number, waits: number, found: Found): string {
  if (listed > 0) return listed < waits ? `The oldest ${listed} of ${waits}` : 'Oldest first';
  if (waits > 0) return found.kind === 'there' ? 'They are just leaving' : 'They can’t be listed';
  return 'Nothing waits';
}

function bucketOf({ at, known, found }: Seen): Pick<Picture, 'pips' | 'tokens' | 'rate' | 'pause'> {
  const limit = typeof known === 'object' && found.kind !== 'unreadable' ? known : UNKNOWN;
  const { bucket, pause } = paceOf(found.kind === 'there' ? found.pace : undefined, limit, at);
  const { tokens } = refill(bucket, limit, at);
  const isPaused = pause !== undefined && !isOver(pause, at);
  return {
    pips: Array.from({ length: limit.burst }, (_, index) => Math.min(1, Math.max(0, tokens - index))),
    tokens: limit.burst === 0 ? NONE : `${Math.floor(tokens)} of ${limit.burst}`,
    rate: limit.burst === 0 ? '' : `, ${limit.requestsPerMinute} a minute`,
    pause: isPaused
      ? `Waits, ${againInWords(pause.since + pause.forMs - at)}. ${retryInWords(pause.reason)}`
      : '',
  };
}

function endsOf(stats: TrackerStats | undefined): Picture['ends'] {
  if (!stats) return [];
  const { buffered, delivered, rejected, dropped } = stats;
  const all = { waiting: buffered, delivered, rejected, ...dropped };
  return Object.entries(all).map(([name, count]) => ({ key: name.replaceAll('_', ' '), count }));
}

function noticesOf({ tracker, known, found, isOut }: Seen, { degraded }: Journal): readonly Notice[] {
  const notices: Notice[] = [];
  const say = (key: string, code = '') => notices.push({ key, code });

  const endpoint = typeof known === 'object' ? known.endpoint : 'https://t.example.com';
  if (typeof known === 'string') say(`An option can’t be: ${known}`);
  switch (tracker.kind) {
    case 'missing':
      say(
        'There is no tracker here. By script tag, behind the line that queues calls:',
        `<script async src="${endpoint}/tracker.js"></script>`,
      );
      say('From npm, show it yours:', `document.querySelector('relay-inspector').tracker = tracker`);
      break;
    case 'loading':
      say(
        `The tracker’s script has not loaded: ${some(tracker.calls, 'call')} waiting. If it stays so, the console says why.`,
      );
      break;
    case 'silent':
      say(`The tracker does not answer: ${tracker.why}`);
      break;
    case 'there':
      if (isOut) say('The visitor has opted out: calls make nothing, until', 'optIn()');
  }
  if (known === undefined)
    say('To list what waits, say where the tracker sends to:', `<relay-inspector endpoint="${endpoint}">`);
  if (degraded !== undefined) say(`Records do not outlive the page, and can’t be listed: ${degraded}`);
  else if (found.kind === 'unreadable') say(`The buffer can’t be read: ${found.why}`);
  return notices;
}
