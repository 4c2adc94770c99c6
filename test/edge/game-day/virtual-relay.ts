import {
  createExecutionContext,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from 'cloudflare:test';
import { vi } from 'vitest';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import { watch } from '../../../src/edge/watchdog/watchdog.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { FAKE_KEY, type FakeAccount, fakeAccount } from '../../fakes/account.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { chances } from '../../fakes/traffic.ts';
import { SHOP } from '../requests.ts';

const MINUTE_MS = 60_000;

/** Twice the interval of ops/prometheus/prometheus.yml: the rules must not need more. */
export const SCRAPE_MS = 30_000;

// Years ahead, so that no alarm of the real runtime comes due by itself. The clock of each day goes on from the
// one before, because objects keep what they know.
let today = Date.parse('2036-01-07T00:00:00Z');

const LATENCY_MS = 300;

/** A message of the relay, as its receiver got it. */
type Message = {
  readonly alert: string;
  readonly state: 'begins' | 'ends';
  readonly remedy: string;
  readonly link: string;
  /** Minutes since the day began. */
  readonly minute: number;
};

/** What a scrape brought. Undefined if it failed. */
export type Scrape = string | undefined;

type Wait = { readonly until: number };
type WaitOptions = { readonly signal?: AbortSignal };

type Browser = { readonly device: string; readonly body: (now: number) => string; at: number };

/** One day of a relay: the whole Worker in the real runtime, with virtual time, the sandbox's rules and a receiver. */
export type VirtualRelay = {
  readonly account: FakeAccount;
  readonly messages: readonly Message[];
  readonly scrapes: readonly Scrape[];
  /** The ids of all events that browsers have sent. */
  readonly sent: readonly string[];
  /** Events that browsers still keep, as no 202 has come. */
  readonly kept: () => number;
  /** How many of the events have the name `Refused`. */
  readonly refusedEvents: () => number;
  readonly order: (control: ControlOrder) => void;
  /** Sets or removes settings and bindings of the Worker. */
  readonly deploy: (changed: object) => Promise<void>;
  /** Browsers send this many events a minute. Of a hundred, one has the name `Refused` if `poison` is true. */
  readonly traffic: (perMinute: number, poison?: boolean) => void;
  /** Sets what was missing. */
  readonly restore: (missing: 'OUTBOX' | 'WEBENGAGE_LICENSE_CODE') => Promise<void>;
  readonly pass: (minutes: number) => Promise<void>;
};

const realWait = scheduler.wait.bind(scheduler);
const RECORDS_A_FLUSH = 25;

export async function virtualRelay(): Promise<VirtualRelay> {
  await reset();
  const start = today;
  vi.setSystemTime(start);
  const now = () => Date.now();
  const random = chances(7);
  const account = fakeAccount({}, now, random);
  const relay = createRelay();
  const outbox = () => relayEnv.OUTBOX.getByName('1/0');
  const messages: Message[] = [];
  const scrapes: Scrape[] = [];
  const sent: string[] = [];
  const browsers: Browser[] = [];
  const sleeps = new Set<Wait>();
  const timeouts = new Set<Wait>();
  let env: Env;
  let activity = 0;
  let isPassing = false;
  let requests = 0;
  let inFlight = 0;
  let alarm: number | null = null;
  let isAlarmKnown = false;
  let perMinute = 0;
  let poison = false;
  let refusedCount = 0;
  let nextFlushAt = start;

  /** As the platform's, in virtual time. It looks at the clock by itself: no promise crosses from object to object. */
  async function wait(ms: number, { signal }: WaitOptions = {}, among = sleeps): Promise<void> {
    activity += 1;
    // The clock has no fractions.
    const until = Math.ceil(now() + ms);
    const waiting = { until };
    among.add(waiting);
    while (now() < until && !signal?.aborted) await realWait(0);
    among.delete(waiting);
    activity += 1;
    signal?.throwIfAborted();
  }

  async function webEngage(request: Request): Promise<Response> {
    activity += 1;
    const [, license = '', kind] = /accounts\/([^/]+)\/bulk-(user|event)s$/.exec(request.url) ?? [];
    const reply = account.call({
      kind: kind as 'user' | 'event',
      license,
      requestId: request.headers.get('x-request-id') ?? '',
      key: (request.headers.get('Authorization') ?? '').replace('Bearer ', ''),
      body: await request.text(),
    });
    inFlight += 1;
    try {
      await wait(LATENCY_MS + reply.delayMs, { signal: request.signal });
    } finally {
      inFlight -= 1;
    }
    if (reply.cut) throw new TypeError('the connection was lost');
    return new Response(reply.body, { status: reply.status, headers: reply.headers });
  }

  // With a signal, it is a time limit: nobody sleeps.
  vi.stubGlobal('scheduler', {
    wait: (ms: number, options?: WaitOptions) => wait(ms, options, options?.signal ? timeouts : sleeps),
  });
  vi.stubGlobal('fetch', webEngage);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    wait(ms, {}, timeouts).then(() => controller.abort(new DOMException('', 'TimeoutError')));
    return controller.signal;
  });

  async function ask(path: string, init: RequestInit): Promise<Response> {
    const context = createExecutionContext();
    const answer = await relay.fetch(new Request(`http://127.0.0.1:8787${path}`, init), env, context);
    const text = await answer.text();
    await waitOnExecutionContext(context);
    return new Response(text, answer);
  }

  async function scrape(): Promise<void> {
    const headers = { Authorization: `Bearer ${env.METRICS_TOKEN}` };
    const answer = await ask('/metrics', { headers });
    scrapes.push(answer.status === 200 ? await answer.text() : undefined);
  }

  const runWatchdog = () =>
    watch(
      env,
      { scheduledAt: now(), isSetUp: true },
      {
        fetch: async (request) => {
          const { alert, state, remedy, link } = (await request.json()) as Message;
          messages.push({ alert, state, remedy, link, minute: (now() - start) / MINUTE_MS });
          return new Response('ok');
        },
        now,
        timeout: () => new AbortController().signal,
      },
    ).catch(() => undefined);

  /** A visitor flushes, and keeps the batch until a 202 comes. */
  function nextFlush(): void {
    const session = crypto.randomUUID().replaceAll('-', '').slice(0, 22);
    const records = Array.from({ length: RECORDS_A_FLUSH }, (_, n) => {
      sent.push(`${session}.${n + 1}`);
      const isRefused = poison && sent.length % 100 === 0;
      if (isRefused) refusedCount += 1;
      const eventName = isRefused ? 'Refused' : 'Clicked';
      return {
        kind: 'event',
        id: `${session}.${n + 1}`,
        userId: session,
        eventName,
        eventData: { n: `${session}.${n + 1}` },
      };
    });
    const device = crypto.randomUUID();
    const body = (at: number) =>
      JSON.stringify({ v: 1, sentAt: new Date(at).toISOString(), device, records });
    browsers.push({ device, body, at: now() });
  }

  async function flush(browser: Browser): Promise<void> {
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8', Origin: SHOP };
    const answer = await ask('/v1/batch', { method: 'POST', body: browser.body(now()), headers });
    if (answer.status === 202) browsers.splice(browsers.indexOf(browser), 1);
    else browser.at = now() + 1_000 * Number(answer.headers.get('Retry-After') ?? 10);
  }

  /** Lets everything happen that waits for no later moment. */
  async function settle(): Promise<void> {
    let seen = -1;
    for (let turn = 0; seen !== activity || ((isPassing || requests > 0) && sleeps.size === 0); turn++) {
      if (turn > 20_000) throw new Error('something neither sleeps nor ends');
      seen = activity;
      await realWait(0);
    }
  }

  function runAlarm(): void {
    isPassing = true;
    alarm = null;
    runDurableObjectAlarm(outbox()).finally(() => {
      isPassing = false;
      isAlarmKnown = false;
      activity += 1;
    });
  }

  const useSettings = async () => {
    for (const stub of [outbox(), gateOf(relayEnv)])
      await runInDurableObject(stub as DurableObjectStub, (instance) => {
        Object.assign(instance, { env: { ...relayEnv, ...env, OUTBOX: relayEnv.OUTBOX } });
      });
  };

  /** Begins something that the outbox may let wait a little. Nothing else begins meanwhile. */
  function begin(request: () => Promise<unknown>): void {
    requests += 1;
    request().finally(() => {
      requests -= 1;
      isAlarmKnown = false;
      activity += 1;
    });
  }

  const alarmAt = () => runInDurableObject(outbox(), (_, { storage }) => storage.getAlarm());

  async function pass(minutes: number): Promise<void> {
    const end = now() + minutes * MINUTE_MS;
    let scrapeAt = now();
    let watchAt = now();
    while (now() < end || requests > 0) {
      await settle();
      if (requests > 0) {
        // Nothing else begins meanwhile.
        vi.setSystemTime(Math.max(now(), Math.min(...[...sleeps].map(({ until }) => until))));
        continue;
      }
      if (!isPassing && !isAlarmKnown) {
        alarm = await alarmAt();
        isAlarmKnown = true;
      }
      const moments = [end, scrapeAt, watchAt, ...browsers.map(({ at }) => at)];
      if (perMinute > 0) moments.push(nextFlushAt);
      if (alarm !== null && !isPassing) moments.push(alarm);
      for (const { until } of [...sleeps, ...(inFlight > 0 ? timeouts : [])]) moments.push(until);
      vi.setSystemTime(Math.max(now(), Math.min(...moments)));
      if (!isPassing && alarm !== null && alarm <= now()) runAlarm();
      if (perMinute > 0 && nextFlushAt <= now()) {
        nextFlush();
        nextFlushAt = now() + (RECORDS_A_FLUSH / perMinute) * MINUTE_MS;
      }
      const browser = browsers.find(({ at }) => at <= now());
      if (browser !== undefined) begin(() => flush(browser));
      else if (scrapeAt <= now()) {
        begin(scrape);
        scrapeAt += SCRAPE_MS;
      } else if (watchAt <= now()) {
        begin(runWatchdog);
        watchAt += MINUTE_MS;
      }
    }
    today = now() + 24 * 60 * MINUTE_MS;
  }

  async function deploy(changed: object): Promise<void> {
    env = { ...env, ...changed };
    await useSettings();
  }

  const complete: Env = {
    ...relayEnv,
    WEBENGAGE_API_KEY: FAKE_KEY,
    WEBENGAGE_LICENSE_CODE: '~fake',
    ALERT_WEBHOOK: 'https://ops.example.com/hook',
  };
  env = complete;
  await useSettings();
  return {
    account,
    messages,
    scrapes,
    sent,
    kept: () => browsers.length * RECORDS_A_FLUSH,
    refusedEvents: () => refusedCount,
    order: account.order,
    deploy,
    restore: (missing) => deploy({ [missing]: complete[missing] }),
    traffic: (amount, hasPoison = false) => {
      perMinute = amount;
      poison = hasPoison;
      nextFlushAt = now();
    },
    pass,
  };
}
