import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startWorker } from '../src/cli/dev/local-worker.ts';
import { newAddress, ORIGIN } from './visitors.ts';

// The account's limit under a backlog: calls in any 60 seconds, with relay and sandbox in the real runtime.

const RELAY_PORT = 9_787;
const SANDBOX_PORT = 9_788;
const BATCHES = 800;
const AT_ONCE = 10;
const WATCHED_MS = 85_000;
const MINUTE_MS = 60_000;
const ALLOWANCE = 500;
const ANSWER_MS = 700;

type Call = { readonly at: number; readonly status: number; readonly records: number };

function batch(): string {
  const session = randomBytes(16).toString('base64url');
  const records = Array.from({ length: 25 }, (_, index) => ({
    kind: 'event',
    id: `${session}.${index + 1}`,
    anonymousId: session,
    eventName: 'Clicked',
    eventData: { index },
  }));
  return JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records });
}

function busiestMinute(moments: readonly number[]): number {
  return Math.max(
    ...moments.map((from) => moments.filter((at) => at >= from && at < from + MINUTE_MS).length),
  );
}

const storage = await mkdtemp(join(tmpdir(), 'webengage-relay-bench-'));
const [sandbox, relay] = await Promise.all([
  startWorker({
    config: 'src/sandbox/wrangler.jsonc',
    port: SANDBOX_PORT,
    vars: {},
    persistTo: join(storage, 'sandbox'),
  }),
  startWorker({
    config: 'wrangler.jsonc',
    port: RELAY_PORT,
    vars: {
      WEBENGAGE_HOST: `http://127.0.0.1:${SANDBOX_PORT}`,
      WEBENGAGE_API_KEY: 'sandbox-key',
      WEBENGAGE_LICENSE_CODE: '~sandbox',
      ALLOWED_ORIGINS: ORIGIN,
    },
    persistTo: join(storage, 'relay'),
  }),
]);

// WebEngage may be this slow. One call at a time would then use a sixth of the allowance.
await fetch(`${sandbox.url}/control`, {
  method: 'POST',
  body: JSON.stringify({ fault: 'slow', delayMs: ANSWER_MS }),
});

const post = async (): Promise<boolean> => {
  const answer = await fetch(`${relay.url}/v1/batch`, {
    method: 'POST',
    headers: { Origin: ORIGIN, 'CF-Connecting-IP': newAddress() },
    body: batch(),
  });
  await answer.text();
  return answer.status === 202;
};

const from = Date.now();
let accepted = 0;
for (let sent = 0; sent < BATCHES; sent += AT_ONCE) {
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, post));
  accepted += answers.filter(Boolean).length;
}
console.log(`${accepted} of ${BATCHES} batches of 25 accepted; watching for ${WATCHED_MS / 1_000} s …`);
await setTimeout(WATCHED_MS - (Date.now() - from));

const calls: Call[] = await (await fetch(`${sandbox.url}/calls`)).json();
const moments = calls.map(({ at }) => at);
// Leaves out the initial burst.
const settledAt = (moments[0] ?? 0) + 5_000;
const steady = moments.filter((at) => at >= settledAt && at < settledAt + MINUTE_MS).length;
const records = calls.reduce((sum, call) => sum + call.records, 0);

console.table({
  'calls in the busiest 60 s': busiestMinute(moments),
  'calls in a minute of backlog': steady,
  'of the allowance, %': (steady / ALLOWANCE) * 100,
  // Status 0 is a call without an answer yet.
  'calls refused': calls.filter(({ status }) => status >= 300).length,
  'records a call': records / calls.length,
});
await Promise.all([relay.stop(), sandbox.stop()]);
await rm(storage, { recursive: true, force: true, maxRetries: 5 });
