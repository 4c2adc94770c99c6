import { reset } from 'cloudflare:test';
import { MINUTE_MS } from '../../../src/pacing/minute.ts';
import { type Deployment, deployRelay } from './deployment.ts';
import { type OutboxAlarm, outboxAlarm } from './outbox-alarm.ts';
import { type Senders, senders } from './senders.ts';
import { type VirtualTime, virtualTime } from './virtual-time.ts';
import { type VirtualWebEngage, virtualWebEngage } from './virtual-webengage.ts';

/** Twice the interval of ops/prometheus/prometheus.yml: the rules must not need more. */
export const SCRAPE_MS = 30_000;

// Years ahead, so that no alarm of the real runtime comes due by itself. The clock of each day goes on from the
// one before, because objects keep what they know.
let today = Date.parse('2036-01-07T00:00:00Z');

/** One day of a relay: the whole Worker in the real runtime, with virtual time, the sandbox's rules and a receiver. */
export type VirtualRelay = {
  /** When the day began. */
  readonly start: number;
  readonly relay: Deployment;
  readonly webEngage: VirtualWebEngage;
  readonly senders: Senders;
  readonly pass: (minutes: number) => Promise<void>;
};

type Parts = Omit<VirtualRelay, 'start' | 'pass'> & {
  readonly time: VirtualTime;
  readonly alarm: OutboxAlarm;
};

export async function virtualRelay(): Promise<VirtualRelay> {
  await reset();
  const start = today;
  const time = virtualTime(start);
  const webEngage = virtualWebEngage(time);
  const relay = await deployRelay();
  const parts = { time, webEngage, relay, senders: senders(relay), alarm: outboxAlarm(time) };
  return { ...parts, start, pass: (minutes) => pass(parts, minutes) };
}

async function pass({ time, webEngage, relay, senders, alarm }: Parts, minutes: number): Promise<void> {
  const end = Date.now() + minutes * MINUTE_MS;
  const everyScrape = timer(SCRAPE_MS, relay.scrape);
  const everyWatch = timer(MINUTE_MS, relay.runWatchdog);
  let isAsking = false;
  while (Date.now() < end || isAsking) {
    await time.settle();
    if (isAsking) {
      // The outbox may let a request wait a little. Nothing else begins meanwhile.
      time.moveTo(Math.min(...time.wakings()));
      continue;
    }
    await alarm.look();
    const limits = webEngage.inFlight() > 0 ? time.timeLimits() : [];
    const timers = [everyScrape.at(), everyWatch.at(), ...senders.moments(), ...alarm.moments()];
    time.moveTo(Math.min(end, ...timers, ...time.wakings(), ...limits));
    alarm.fire();
    const request = senders.nextRequest() ?? everyScrape.next() ?? everyWatch.next();
    if (request === undefined) continue;
    isAsking = true;
    time.run(request).finally(() => {
      isAsking = false;
      alarm.mayHaveChanged();
    });
  }
  today = Date.now() + 24 * 60 * MINUTE_MS;
}

/** A task that is due now, and then every so many milliseconds. `next` is undefined while it is not due. */
function timer(everyMs: number, task: () => Promise<void>) {
  let at = Date.now();
  return {
    at: () => at,
    next: () => {
      if (at > Date.now()) return undefined;
      at += everyMs;
      return task;
    },
  };
}
