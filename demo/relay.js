import { createRelay, relayEntrypoint } from '../src/edge/worker.ts';
import plan from './tracking-plan.json';

export { Outbox, RateGate } from '../src/edge/worker.ts';

export const RelayEntrypoint = relayEntrypoint({ plan });

/** The relay, with the shop's tracking plan. */
export default createRelay({ plan });
