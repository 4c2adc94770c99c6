import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';

/** A client for the endpoint that takes visitors' batches. */
export type Client = {
  /** Posts one flush of events from a new visitor. */
  readonly post: (records: number) => Promise<Answer>;
};

export type Answer = { readonly status: number; readonly ms: number };

export const ORIGIN = 'http://bench.example';

/** Identifies visitors on a site that knows them. */
export type Identity = { readonly userId: string; readonly token: string };

/** An address in its own network, for `CF-Connecting-IP`. With one address all visitors would be one sender. */
export function newAddress(): string {
  const group = () => randomBytes(2).toString('hex');
  return `2001:db8:${group()}:${group()}::1`;
}

/** Makes a client with keep-alive connections. (`fetch` would use more CPU than the code it measures.) */
export function clientOf(url: string, identity?: Identity): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return {
    post: (records) =>
      new Promise((resolve, reject) => {
        const body = batch(records, identity);
        const from = performance.now();
        const headers = {
          Origin: ORIGIN,
          'Content-Type': 'text/plain',
          'Content-Length': body.length,
          'CF-Connecting-IP': newAddress(),
        };
        const posted = request(`${url}/v1/batch`, { method: 'POST', agent, headers }, (response) => {
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, ms: performance.now() - from }),
          );
          response.once('error', reject).resume();
        });
        posted.once('error', reject).end(body);
      }),
  };
}

function batch(records: number, identity?: Identity): string {
  const session = randomBytes(16).toString('base64url');
  return JSON.stringify({
    v: 1,
    sentAt: new Date().toISOString(),
    device: randomUUID(),
    token: identity?.token,
    records: Array.from({ length: records }, (_, index) => ({
      kind: 'event',
      id: `${session}.${index + 1}`,
      ...(identity ? { userId: identity.userId } : { anonymousId: session }),
      eventName: 'Added to Cart',
      eventData: {
        'Product ID': 1_337 + index,
        Price: 39.8,
        Quantity: 1,
        Category: 'Books',
        Currency: 'INR',
      },
    })),
  });
}

/** Keeps this many visitors busy: each posts its next batch once the last one is answered. */
export async function crowd(
  client: Client,
  { records, atOnce, forMs }: { records: number; atOnce: number; forMs: number },
): Promise<readonly Answer[]> {
  const until = performance.now() + forMs;
  const answers: Answer[] = [];
  const visitor = async () => {
    while (performance.now() < until) answers.push(await client.post(records));
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  return answers;
}

/** Posts this many batches a second at random moments, without waiting for earlier answers. */
export async function stream(
  client: Client,
  { records, perSecond, visitors }: { records: number; perSecond: number; visitors: number },
): Promise<readonly Answer[]> {
  const from = performance.now();
  const moments = Array.from({ length: visitors }, () => (Math.random() * visitors * 1_000) / perSecond);
  const answers: Promise<Answer>[] = [];
  for (const moment of moments.toSorted((a, b) => a - b)) {
    const waitMs = from + moment - performance.now();
    if (waitMs > 0) await setTimeout(waitMs);
    answers.push(client.post(records));
  }
  return Promise.all(answers);
}
