import { MAX_REQUEST_RECORDS } from '../../contract/batch.ts';
import { batchBytes, batchWithin, ofOneUser } from '../delivery/batch-limits.ts';
import type { IdentityTokens } from '../delivery/identity-tokens.ts';
import type { FlushLimits } from '../delivery/next-step.ts';
import { MAX_KEEPALIVE_BYTES, type Outcome, type RelayClient } from '../delivery/relay-client.ts';
import { mustWait, type Pause } from '../delivery/send-rate.ts';
import type { Lookout } from '../delivery/sendable.ts';
import type { PageStorage } from '../platform/local-storage.ts';
import type { Entry } from '../store/record-store.ts';
import type { SafetyNet } from './fetch-later.ts';
import type { Spill } from './spill.ts';
import type { Held } from './unsettled.ts';

export type FarewellPorts = {
  readonly held: Held;
  readonly settings: Pick<FlushLimits, 'identityToken'>;
  readonly tokens: Pick<IdentityTokens, 'userOf'>;
  readonly lookout: Pick<Lookout, 'mayLeave'>;
  readonly client: RelayClient;
  readonly net: SafetyNet;
  readonly spill: Spill;
  readonly pageStorage: PageStorage;
  readonly name: string;
  readonly now: () => number;
  readonly isIn: () => boolean;
  /** Asks for somebody who sends when this page can't. */
  readonly askForSync: () => void;
};

type Sent = ReadonlyMap<readonly Entry[], Promise<Outcome>>;

/** Keeps a page ready to be left at any moment, with no look into the database and no lock, which would not answer in time. */
export type Farewell = {
  /** The way to the relay for all that is sent, so that it is known what is under way. */
  readonly relay: RelayClient;
  /** What was sent as the page was left, and what became of it; each once. */
  readonly sent: () => Sent;
  /** To be called with what the buffer can't take yet, for a page that gets no moment to leave. */
  readonly keep: (entries: readonly Entry[]) => void;
  /**
   * To be called when the page may be gone in a moment: what the buffer does not have is written down, and all that fits
   * is sent, oldest first, in one request that outlives the page: of several one could overtake the other. It is for the
   * next page to send what is left, which then comes after.
   */
  readonly leave: () => void;
  /** To be called when other records are held than before, or when others of them are under way. */
  readonly changed: () => void;
  /** To be called when sending has to wait. */
  readonly paused: (pause: Pause) => void;
};

export function farewellOf(ports: FarewellPorts): Farewell {
  const { held, settings, tokens, lookout, client, net, spill, pageStorage, name, now, isIn, askForSync } =
    ports;
  const pauseName = `${name}?pause`;
  const underWay = new Set<readonly Entry[]>();
  let sent = new Map<readonly Entry[], Promise<Outcome>>();
  let failed = false;

  const relay: RelayClient = async (batch) => {
    underWay.add(batch);
    try {
      return await client(batch);
    } finally {
      underWay.delete(batch);
    }
  };
  /** @param all also those that may overtake others: nothing else keeps them */
  const fitting = (all = false) => {
    // What comes later would overtake what could not be delivered.
    if (failed || !isIn()) return [];
    const head = ofOneUser(
      (all ? held.unsaved(true) : held.head()).filter(lookout.mayLeave),
      tokens.userOf,
    ).slice(0, MAX_REQUEST_RECORDS);
    const gone = new Set([...underWay, ...sent.keys()].flat().map(({ record }) => record.id));
    // The pause may be another tab's. That the network was gone is no reason not to try.
    const pause = pageStorage.get(pauseName) as Pause | null | undefined;
    const waits = pause && pause.reason !== 'network' && mustWait(pause, settings.identityToken, now());
    if (waits || head.every(({ record }) => gone.has(record.id))) return [];
    // One budget for all requests that outlive the page. What is under way goes once more, where it fits: a request that
    // does not hold it could overtake it.
    const left = [...underWay].reduce((bytes, batch) => bytes - batchBytes(batch), MAX_KEEPALIVE_BYTES);
    return batchWithin(head, left);
  };

  return {
    relay,
    sent: () => {
      const those = sent;
      sent = new Map();
      failed = false;
      return those;
    },
    keep: (entries) => void spill.write([...held.unsaved(), ...entries]),
    leave: () => {
      // As WebKit has it for a window that closes itself, there may be no storage any more.
      const isKept = spill.write(held.unsaved());
      const batch = fitting(!isKept);
      if (batch.length > 0) {
        const outcome = relay(batch);
        sent.set(batch, outcome);
        void outcome.then(({ kind }) => {
          failed ||= kind !== 'settled';
        });
      }
      net(fitting, true);
      // Be it sent or not: of a page that is gone nobody learns what became of it.
      if (isIn() && held.unsaved(true).length > 0) askForSync();
    },
    changed: () => {
      net(fitting, false);
      if (held.unsaved().length === 0) spill.clear();
    },
    paused: (pause) => {
      pageStorage.set(pauseName, pause);
      if (pause.reason === 'network') askForSync();
    },
  };
}
