import { createHash } from 'node:crypto';
import type { Upstream } from '../../../src/edge/delivery/webengage.ts';
import type { ImportRow, ImportSource } from '../../../src/import/read/source.ts';
import { directSender } from '../../../src/import/send/direct/direct-sender.ts';
import { createHalt } from '../../../src/import/send/halt.ts';
import { type LedgerOptions, openLedger } from '../../../src/import/send/ledger/ledger.ts';
import { relaySender } from '../../../src/import/send/relay/relay-sender.ts';
import { type Ended, runImport } from '../../../src/import/send/run.ts';
import type { Sender, SenderPorts } from '../../../src/import/send/sender.ts';
import type { JournalFile } from '../../../src/server/journal/disk.ts';
import { fakeChance } from '../chance.ts';
import { fakeTime } from '../platform.ts';
import { settled } from '../settled.ts';
import { type fakeDisk, THIS_PROCESS } from './journal-disk.ts';

export const JOURNAL = 'users.csv.webengage-journal';
const DIGEST = 'a-digest';

/** A row of a played file. */
export type FakeRow = {
  readonly person: string;
  /** Why it is refused before it is sent. */
  readonly issue?: string;
  readonly kind?: 'user' | 'event';
  /** What it counts for in a request. */
  readonly bytes?: number;
  readonly data?: object;
};

/** A file whose rows hold their own number. `reads`: the rows that each pass has checked. */
export function fakeSource(rows: readonly FakeRow[], digest = DIGEST): ImportSource & { reads: number[][] } {
  const reads: number[][] = [];
  const toRow = ({ person, issue, kind = 'event', bytes = 200, data }: FakeRow, index: number): ImportRow => {
    const place = { number: index + 1, line: index + 2 };
    if (issue !== undefined)
      return { ...place, ok: false, issues: [{ path: 'email', message: issue }], row: { n: place.number } };
    const fields =
      kind === 'event'
        ? { eventName: 'Called', eventData: { n: place.number, ...data } }
        : { attributes: { n: place.number, ...data } };
    return {
      ...place,
      ok: true,
      kind,
      person,
      json: JSON.stringify({ kind, userId: person, ...fields }),
      bytes,
    };
  };
  async function* read(wants: (number: number) => boolean = () => true) {
    const checked: number[] = [];
    reads.push(checked);
    for (const [index, row] of rows.entries()) {
      if (!wants(index + 1)) continue;
      checked.push(index + 1);
      yield toRow(row, index);
    }
  }
  return { digest, rows: rows.length, columns: [], reads, read, readAgain: read };
}

/** A file of refused rows in memory. */
export function fakeRejects(text = '') {
  const file = { text };
  const trouble: { is?: string } = {};
  const open = async (): Promise<JournalFile> => {
    file.text = '';
    return {
      append: async (more) => {
        if (trouble.is !== undefined) throw new Error(trouble.is);
        file.text += more;
      },
      sync: async () => {},
      truncate: async () => {},
      close: async () => {},
    };
  };
  return { file, trouble, open };
}

type Played = {
  readonly source?: ImportSource;
  readonly time?: ReturnType<typeof fakeTime>;
  readonly disk?: ReturnType<typeof fakeDisk> | undefined;
  readonly rejects?: ReturnType<typeof fakeRejects>;
  readonly self?: typeof THIS_PROCESS;
  readonly into?: string;
  readonly removesJournal?: boolean;
};

/** A run on a played platform. `ended` resolves once it is over; time passes by hand. */
async function play(
  {
    source = fakeSource([]),
    time = fakeTime(),
    disk,
    rejects,
    self = THIS_PROCESS,
    into,
    removesJournal,
  }: Played,
  fetch: typeof globalThis.fetch,
  senderOf: (ports: SenderPorts) => Promise<Sender>,
) {
  const options: LedgerOptions = {
    digest: source.digest,
    into: into ?? 'https://t.example.com',
    ...(disk !== undefined && {
      journal: { path: JOURNAL, disk: async () => disk.disk, self: async () => self },
    }),
    ...(rejects !== undefined && { rejects: { path: 'rejects.ndjson', open: rejects.open } }),
  };
  const ledger = await openLedger(options);
  const halt = createHalt();
  const ports: SenderPorts = {
    time,
    chance: fakeChance(seeds++),
    digest: async (text) => createHash('sha256').update(text).digest(),
    fetch,
    ledger,
    halt,
  };
  const sender = await senderOf(ports);
  const over: { ended?: Ended } = {};
  const ended = runImport({
    time,
    source,
    sender,
    ledger,
    halt,
    removesJournal: removesJournal ?? true,
    onTick: () => {},
  }).then((end) => {
    over.ended = end;
    return end;
  });
  return {
    ledger,
    halt,
    ended,
    /** Lets time pass until the run is over, or nothing comes of it any more. */
    finish: async (mostMs = 3_600_000): Promise<Ended | undefined> => {
      for (let ms = 0; ms < mostMs && over.ended === undefined; ms += 5_000) await time.pass(5_000);
      await settled();
      return over.ended;
    },
  };
}

// No two runs make the same request ids.
let seeds = 1;

export const TARGET = {
  endpoint: 'https://t.example.com',
  token: 'a-server-token-of-enough-characters',
  tokenEnv: 'SERVER_TOKEN',
  timeoutMs: 2_000,
};

/** An import through a relay. */
export function importToRelay(played: Played, fetch: typeof globalThis.fetch) {
  return play(played, fetch, (ports) => relaySender(ports, TARGET, played.source?.digest ?? DIGEST));
}

/** An import into WebEngage itself. */
export function importDirectly(played: Played, upstream: Upstream, requestsPerMinute = 250) {
  const noFetch: typeof globalThis.fetch = () => Promise.reject(new Error('not by this way'));
  return play(played, noFetch, async (ports) => directSender(ports, { upstream, requestsPerMinute }));
}
