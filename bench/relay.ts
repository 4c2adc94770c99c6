import { availableParallelism, cpus } from 'node:os';
import { reportCalls } from './relay/calls.ts';
import { reportLightLoad } from './relay/light-load.ts';
import { startUpstream } from './relay/setups.ts';
import { reportThroughput } from './relay/throughput.ts';

// What the relay costs and saves, in the bare runtime on this machine. Compares its endpoint with a Worker
// that only passes requests on. The outbox is on its ninth day, with and without identity tokens. Also counts
// the calls to WebEngage for 1,000 records.

// WebEngage's latency in the slower runs.
const FAR_MS = 100;

console.log(
  `npm run bench:relay on ${availableParallelism()} cores (${cpus()[0]?.model.trim()}); some 3 minutes.`,
);
const [near, far] = await Promise.all([startUpstream(0), startUpstream(FAR_MS)]);
await reportThroughput(near, 25);
await reportThroughput(near, 5);
await reportLightLoad(near, far, FAR_MS);
await reportCalls(far);
