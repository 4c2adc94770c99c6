import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import { watch } from '../../../src/edge/watchdog/watchdog.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import { FAKE_KEY } from '../../fakes/account.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { SERVER_TOKEN } from '../requests.ts';

/** A message of the relay, as its receiver got it. */
type Message = {
  readonly alert: string;
  readonly state: 'begins' | 'ends';
  readonly remedy: string;
  readonly link: string;
  /** In milliseconds since 1970. */
  readonly at: number;
};

/** What a scrape brought. Undefined if it failed. */
export type Scrape = string | undefined;

/** The Worker as it is deployed, with its objects, its receiver of alerts and what scrapes its metrics. */
export type Deployment = {
  readonly messages: readonly Message[];
  readonly scrapes: readonly Scrape[];
  readonly post: (body: string, headers: Readonly<Record<string, string>>) => Promise<Response>;
  readonly scrape: () => Promise<void>;
  readonly runWatchdog: () => Promise<void>;
  /** Sets or removes settings and bindings of the Worker. */
  readonly deploy: (changed: object) => Promise<void>;
  /** Sets what was missing. */
  readonly restore: (missing: 'OUTBOX' | 'WEBENGAGE_LICENSE_CODE') => Promise<void>;
};

const COMPLETE: Env = {
  ...relayEnv,
  WEBENGAGE_API_KEY: FAKE_KEY,
  WEBENGAGE_LICENSE_CODE: '~fake',
  SERVER_TOKEN,
  ALERT_WEBHOOK: 'https://ops.example.com/hook',
};

/** The only outbox. */
export const outbox = () => relayEnv.OUTBOX.getByName('1/0');

export async function deployRelay(): Promise<Deployment> {
  const relay = createRelay();
  const messages: Message[] = [];
  const scrapes: Scrape[] = [];
  let env = COMPLETE;

  async function ask(path: string, init: RequestInit): Promise<Response> {
    const context = createExecutionContext();
    const answer = await relay.fetch(new Request(`http://127.0.0.1:8787${path}`, init), env, context);
    const text = await answer.text();
    await waitOnExecutionContext(context);
    return new Response(text, answer);
  }

  async function receive(request: Request): Promise<Response> {
    const { alert, state, remedy, link } = (await request.json()) as Message;
    messages.push({ alert, state, remedy, link, at: Date.now() });
    return new Response('ok');
  }

  async function deploy(changed: object): Promise<void> {
    env = { ...env, ...changed };
    // Objects keep the settings that they were made with.
    for (const stub of [outbox(), gateOf(relayEnv)])
      await runInDurableObject(stub as DurableObjectStub, (instance) => {
        Object.assign(instance, { env: { ...relayEnv, ...env, OUTBOX: relayEnv.OUTBOX } });
      });
  }

  await deploy({});
  return {
    messages,
    scrapes,
    post: (body, headers) =>
      ask('/v1/batch', {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...headers },
      }),
    scrape: async () => {
      const answer = await ask('/metrics', { headers: { Authorization: `Bearer ${env.METRICS_TOKEN}` } });
      scrapes.push(answer.status === 200 ? await answer.text() : undefined);
    },
    // A run that fails is followed by the next one.
    runWatchdog: () =>
      watch(
        env,
        { scheduledAt: Date.now(), isSetUp: true },
        {
          fetch: receive,
          now: Date.now,
          timeout: () => new AbortController().signal,
        },
      ).catch(() => undefined),
    deploy,
    restore: (missing) => deploy({ [missing]: COMPLETE[missing] }),
  };
}
