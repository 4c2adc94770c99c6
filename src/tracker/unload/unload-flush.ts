import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { fitting } from '../delivery/batch-limits.ts';
import { MAX_KEEPALIVE_BYTES, type RelayClient } from '../delivery/relay-client.ts';
import type { Call, Entry } from '../record/call.ts';
import type { Outcome } from '../record/outcome.ts';
import type { FetchLaterNet } from './fetch-later.ts';
import type { Spill } from './spill.ts';

export type UnloadPorts = {
  readonly client: RelayClient;
  readonly net: FetchLaterNet;
  readonly spill: Spill;
  /** The calls that the database does not hold: those on their way, and all of them where there is none. */
  readonly unsaved: () => readonly Call[];
  /**
   * The first of the unsettled records: none in the buffer stands before one of these that is not among them.
   * `all`: those too that may overtake others, where nothing else keeps them. None while all tabs pause.
   */
  readonly sendable: (all: boolean) => readonly Entry[];
  /** False once the visitor has opted out. */
  readonly isIn: () => boolean;
  /** Asks the service worker to send what this page can't. */
  readonly askForSync: () => void;
};

type Sent = ReadonlyMap<readonly Entry[], Promise<Outcome>>;

/** Keeps a page ready to be left at any moment, with no look into the database and no lock, which would not answer in time. */
export type UnloadFlush = {
  /** The way to the relay for all that is sent, so that it is known what is under way. */
  readonly relay: RelayClient;
  /** What was sent as the page was left, and what became of it; each once. */
  readonly sent: () => Sent;
  /** Writes down what the database can't take yet, for a page that gets no moment to leave. Answers whether it could. */
  readonly keep: () => boolean;
  /**
   * To be called when the page may be gone in a moment: what the database does not hold is written down, and all that fits
   * is sent, oldest first, in one request that outlives the page: of several one could overtake the other. The next page
   * sends what is left, which then comes after.
   */
  readonly leave: () => void;
  /** To be called when other records are unsettled than before, or when others of them are under way. */
  readonly changed: () => void;
};

export function createUnloadFlush(ports: UnloadPorts): UnloadFlush {
  const { client, net, spill, unsaved, isIn } = ports;
  const underWay = new Set<readonly Entry[]>();
  let sent = new Map<readonly Entry[], Promise<Outcome>>();
  let hasFailed = false;

  const relay: RelayClient = (batch, keepalive) => {
    underWay.add(batch);
    return client(batch, keepalive).finally(() => underWay.delete(batch));
  };
  const keep = () => {
    const left = isIn() ? unsaved() : [];
    return left.length === 0 || spill.write(left);
  };

  function toSend(all: boolean): readonly Entry[] {
    // What comes later would overtake what could not be delivered.
    if (hasFailed || !isIn()) return [];
    const batch = ports.sendable(all).slice(0, MAX_REQUEST_RECORDS);
    const gone = new Set<string>();
    let bytes = MAX_KEEPALIVE_BYTES;
    for (const other of [...underWay, ...sent.keys()]) {
      // One budget for all requests that outlive the page.
      if (underWay.has(other)) [, bytes] = fitting(other, bytes);
      for (const { id } of other) gone.add(id);
    }
    // What is under way goes once more, where it fits: a request that does not hold it could overtake it.
    return batch.every(({ id }) => gone.has(id)) ? [] : fitting(batch, bytes)[0];
  }

  return {
    relay,
    sent: () => {
      const those = sent;
      sent = new Map();
      hasFailed = false;
      return those;
    },
    keep,
    leave: () => {
      // As WebKit has it for a window that closes itself, there may be no storage any more.
      const batch = toSend(!keep());
      if (batch.length > 0) {
        const outcome = relay(batch, true);
        sent.set(batch, outcome);
        void outcome.then(({ reason }) => {
          hasFailed ||= !!reason;
        });
      }
      net(toSend, true);
      // Sent or not: of a page that is gone nobody learns what became of it.
      if (batch.length > 0 || (isIn() && unsaved().length > 0)) ports.askForSync();
    },
    changed: () => {
      net(toSend, false);
      if (unsaved().length === 0) spill.clear();
    },
  };
}
