import { type Client, crowd, stream } from '../visitors.ts';
import { latency, mustBeTaken } from './answers.ts';
import { startBoth } from './setups.ts';

const LIGHT = { perSecond: 20, visitors: 200, records: 5 };
const WARM_UP_MS = 1_000;

async function lightLoad(upstream: string) {
  const both = await startBoth(upstream, 'ninth');
  // The first requests hit a cold start.
  await Promise.all([crowdOfOne(both.relay.client), crowdOfOne(both.passThrough.client)]);
  const [relay, passThrough] = await Promise.all([
    stream(both.relay.client, LIGHT),
    stream(both.passThrough.client, LIGHT),
  ]);
  await both.stop();
  return { relay: latency(mustBeTaken(relay)), passThrough: latency(mustBeTaken(passThrough)) };
}

const crowdOfOne = (client: Client) =>
  crowd(client, { records: LIGHT.records, atOnce: 1, forMs: WARM_UP_MS });

/** Measures how long a visitor waits for an answer while the relay has little to do, and prints it. */
export async function reportLightLoad(near: string, far: string, farMs: number): Promise<void> {
  const nearLight = await lightLoad(near);
  const farLight = await lightLoad(far);
  console.log(`\nUntil the answer, at ${LIGHT.perSecond} batches of ${LIGHT.records} a second:`);
  console.table({
    'relay, WebEngage at 0 ms': nearLight.relay,
    'pass-through, WebEngage at 0 ms': nearLight.passThrough,
    [`relay, WebEngage at ${farMs} ms`]: farLight.relay,
    [`pass-through, WebEngage at ${farMs} ms`]: farLight.passThrough,
  });
}
