import { MAX_BATCH_RECORDS } from '../../contract/batch.ts';
import type { Lane } from '../../contract/lane.ts';
import type { SeenLimit } from '../gate/allowance.ts';
import type { Permit } from '../gate/permits.ts';
import { readTally } from '../queue/counters/tally.ts';
import type { CallPorts } from './call-ports.ts';

// Six full batches: with this backlog there is work for permits asked for ahead.
const AHEAD_FROM_RECORDS = 150;

// The whole allowance is one permit every 124 ms. If the gate takes longer to answer, permits are asked for
// ahead: one, and another for each `PERMIT_TAKES_MS`, up to `MAX_AHEAD`. No more, because the gate refuses
// starts too far ahead. A gate within `NEAR_MS` is asked in time anyway.
const PERMIT_TAKES_MS = 150;
const NEAR_MS = 20;
/** The most permits that are asked for ahead, besides the next one. */
export const MAX_AHEAD = 3;

/** A permit, and when it was asked for. */
export type Requested = { readonly isolating: boolean; readonly at: number; readonly permit: Permit };

/**
 * The permits of one relay pass. Some are asked for while earlier calls wait for their start: otherwise a
 * distant gate would cost part of the allowance.
 */
export type PermitRequests = {
  /**
   * The next permit that was asked for ahead, or a new one. Any lane may use a permit, but only an import uses one
   * that was asked for as an import: the gate may refuse it while others would get one.
   */
  readonly next: (lane: Lane) => Promise<Requested>;
  /** True if a permit for an import was asked for ahead. */
  readonly awaitsImports: () => boolean;
  /** How long the gate's last answer took. */
  readonly gateTookMs: () => number;
  /** A new permit for isolating. These are never asked for ahead. */
  readonly isolating: () => Promise<Requested>;
  /** Asks for permits ahead, enough to make up for the gate's delay, if the backlog has work for them. */
  readonly requestAhead: () => void;
  /** Drops the permits asked for ahead. */
  readonly drop: () => void;
  /** Keeps what an answer said about the rate limit, for the next request. */
  readonly report: (seen: SeenLimit | undefined) => void;
};

/** @param onRequest runs at each request to the gate */
export function permitRequests(
  {
    gate,
    storage,
    evidence,
    now,
    sleep,
  }: Pick<CallPorts, 'gate' | 'storage' | 'evidence' | 'now'> & {
    readonly sleep: (ms: number) => Promise<void>;
  },
  onRequest: () => void,
): PermitRequests {
  const ahead: Promise<Requested>[] = [];
  const importsAhead: Promise<Requested>[] = [];
  let nextImportAt = 0;
  let lastSeen: SeenLimit | undefined;
  // How long the gate's last answer took.
  let gateTookMs = 0;

  async function request(lane: Lane, { isolating = false, after = 0 } = {}): Promise<Requested> {
    onRequest();
    if (after > now()) await sleep(after - now());
    const at = now();
    const seen = lastSeen;
    lastSeen = undefined;
    const permit = await gate.take({ isolating, lane, seen });
    gateTookMs = now() - at;
    return { isolating, at, permit };
  }

  function requestAhead(): void {
    if (gateTookMs < NEAR_MS) return;
    const depth = 1 + Math.min(MAX_AHEAD, Math.floor(gateTookMs / PERMIT_TAKES_MS));
    const { waiting } = readTally(storage.sql);
    const urgent = waiting.live + waiting.server - MAX_BATCH_RECORDS * evidence.suspects.parked.size;
    const askAhead = (lane: Lane, after = 0) => {
      const requested = request(lane, { after });
      // Awaited when its turn comes, if ever: until then a rejection must not count as unhandled.
      requested.catch(() => {});
      return requested;
    };
    if (urgent >= AHEAD_FROM_RECORDS) while (ahead.length < depth) ahead.push(askAhead('live'));
    if (urgent >= AHEAD_FROM_RECORDS || urgent + waiting.import < AHEAD_FROM_RECORDS) return;
    // An import is granted no start ahead. So its requests arrive one after the other, and there is one more of them
    // than for other lanes.
    while (importsAhead.length <= depth) {
      nextImportAt = Math.max(now(), nextImportAt + gateTookMs / (depth + 1));
      importsAhead.push(askAhead('import', nextImportAt));
    }
  }

  return {
    next: (lane) => ahead.shift() ?? (lane === 'import' ? importsAhead.shift() : undefined) ?? request(lane),
    awaitsImports: () => importsAhead.length > 0,
    gateTookMs: () => gateTookMs,
    isolating: () => request('live', { isolating: true }),
    requestAhead,
    drop: () => {
      ahead.length = 0;
      importsAhead.length = 0;
    },
    report: (seen) => {
      lastSeen = seen ?? lastSeen;
    },
  };
}
