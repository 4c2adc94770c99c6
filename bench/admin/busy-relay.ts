import { inWords, RUNBOOKS } from '../../src/edge/alerts/alert.ts';
import type { DeadLetterPage } from '../../src/edge/operator/routes.ts';
import { deadLetter } from '../../test/admin/dead-letter.ts';
import { minute, status } from '../../test/admin/status.ts';

// A relay that recovers. WebEngage was down for a quarter of an hour, and since then the backlog drains.

export const ADMIN_TOKEN = 'an-admin-token-of-enough-characters';

export const AT = Date.parse('2026-11-23T15:38:09Z');

const MINUTE_MS = 60_000;
const RUNNING = AT - (AT % MINUTE_MS);
const ALLOWANCE = 500;

// Minutes before the running one.
const DOWN_FROM = 35;
const DOWN_UNTIL = 19;

/** How many records arrive in a minute: a wave of a few thousand. */
const acceptedIn = (ago: number) =>
  Math.round(7_400 + 1_600 * Math.sin((60 - ago) / 10) + ((ago * 37) % 300));

const MINUTES = Array.from({ length: 60 }, (_, index) => {
  const ago = 59 - index;
  const part = ago === 0 ? (AT - RUNNING) / MINUTE_MS : 1;
  const isDown = ago < DOWN_FROM && ago >= DOWN_UNTIL;
  const isDraining = ago < DOWN_UNTIL;
  const accepted = Math.round(acceptedIn(ago) * part);
  const failed = isDown ? 16 : ago % 11 === 4 ? 6 : 0;
  const calls = isDraining ? ALLOWANCE - 8 - ((ago * 5) % 9) : Math.round(accepted / 23);
  const taken = isDown ? 0 : Math.round(calls * part) - failed;
  const delivered = isDraining ? Math.round(taken * (23.6 + ((ago * 7) % 10) / 10)) : accepted;
  return minute(RUNNING - ago * MINUTE_MS, {
    accepted,
    calls: taken + failed,
    delivered: isDown ? 0 : delivered,
    failed,
  });
});

const sum = (amounts: readonly number[]) => amounts.reduce((all, amount) => all + amount, 0);
const grown = (minutes: typeof MINUTES) =>
  sum(minutes.map(({ accepted, delivered }) => accepted - delivered));

const WAITING = grown(MINUTES);
const IMPORTS = Math.round(WAITING * 0.7);
const GROWTH = Math.round(grown(MINUTES.slice(-6, -1)) / 5);
const OLDEST_MS = 161_000;
const SECOND = Math.round(WAITING * 0.49);

const since = AT - 19 * MINUTE_MS;
const LATE = { alert: 'late', state: 'begins', since, at: since, figures: { seconds: 931 } } as const;

const BOTS = {
  lastHour: {
    records: 412,
    refused: 0,
    calls: 17,
    bySign: { user_agent: 371, webdriver: 41, cloudflare: 0 },
  },
  total: {
    records: 9_833,
    refused: 0,
    calls: 394,
    bySign: { user_agent: 8_902, webdriver: 931, cloudflare: 0 },
  },
};

const LETTERS = [
  deadLetter({
    id: '2/0:17',
    acceptedAt: Date.parse('2026-11-23T13:03:01Z'),
    givenUpAt: Date.parse('2026-11-23T13:03:06Z'),
    words: 'Error: eventTime is not a valid date.',
  }),
  deadLetter({
    id: '2/0:18',
    kind: 'user',
    acceptedAt: Date.parse('2026-11-23T13:06:20Z'),
    givenUpAt: Date.parse('2026-11-23T13:06:26Z'),
    words: 'Error: Invalid phone number.',
    record: { id: 'k3J9xQ.31', userId: 'jane.2', phone: '+00000' },
  }),
];

export const DEAD_LETTERS: DeadLetterPage['deadLetters'] = LETTERS;

export const STATUS = status({
  at: AT,
  backlog: {
    records: WAITING,
    oldestAgeMs: OLDEST_MS,
    retrying: 2,
    byStatus: { 0: 1, 503: 1 },
    growthPerMinute: GROWTH,
    drainMs: Math.round((WAITING / -GROWTH) * MINUTE_MS),
  },
  lanes: [
    { lane: 'live', records: WAITING - IMPORTS - 1_875, oldestAgeMs: 12_000 },
    { lane: 'server', records: 1_875, oldestAgeMs: 48_000 },
    { lane: 'import', records: IMPORTS, oldestAgeMs: OLDEST_MS },
  ],
  senders: [
    { name: null, lane: 'live', accepted: 3_870_112, duplicates: 1_204, rejected: 318 },
    { name: 'crm-import', lane: 'import', accepted: 250_000, duplicates: 0, rejected: 41 },
    { name: 'orders', lane: 'server', accepted: 91_406, duplicates: 12, rejected: 3 },
    { name: 'worker', lane: 'server', accepted: 22_019, duplicates: 0, rejected: 0 },
  ],
  deadLetters: LETTERS.length,
  minutes: MINUTES,
  recordsPerCall: 23.7,
  totals: {
    accepted: 4_233_537,
    delivered: 4_233_537 - WAITING - 5,
    dead_letter: 5,
    discarded: 3,
    duplicate: 1_216,
    rejected: 355,
    expired: 7,
    calls: 178_093,
    taken: 177_870,
    refused: 31,
    paused: 4,
    unknown: 188,
  },
  shards: ['2/0', '2/1'].map((name, index) => ({
    name,
    records: index === 0 ? WAITING - SECOND : SECOND,
    oldestAgeMs: OLDEST_MS - index * 9_000,
    deadLetters: index === 0 ? LETTERS.length : 0,
    databaseBytes: 18_400_000 - index * 300_000,
    full: false,
    unreachable: false,
  })),
  bots: { mode: 'count', ...BOTS },
  alerts: {
    active: [{ ...LATE, ...inWords(LATE) }].map(({ state: _, at: __, figures: ___, ...alert }) => alert),
    destinations: [{ form: 'slack', waiting: 0, last: { at: since, delivered: true, status: 200 } }],
    runbooks: RUNBOOKS,
  },
});
