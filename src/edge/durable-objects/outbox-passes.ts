import { type PassEnd, type RelayPassPorts, relayPasses } from '../delivery/relay-pass.ts';
import { webEngage } from '../delivery/webengage.ts';
import { msPerRecordOf } from '../limits/fair-queue.ts';
import { laneCredits } from '../limits/lane-credit.ts';
import type { RelaySettings } from '../settings/settings.ts';
import { logFailedCall, logFault, logUnfamiliar } from '../telemetry/log.ts';
import { deliveredAfter, type Observations } from '../telemetry/observations.ts';
import { gateClient } from './gate-client.ts';
import type { GateEnv } from './rate-gate.ts';

/** What an outbox keeps in memory for its passes. */
type PassMemory = Pick<RelayPassPorts, 'evidence' | 'dueTimes' | 'fullBatch'> & {
  readonly observe: (seen: Observations) => void;
};

/** The relay passes of an outbox, with the platform's clock, randomness and network. */
export function outboxPasses(
  storage: DurableObjectStorage,
  env: GateEnv,
  settings: RelaySettings,
  { observe, ...memory }: PassMemory,
): () => Promise<PassEnd> {
  return relayPasses({
    ...memory,
    storage,
    gate: gateClient(env, () => storage.kv.get('name')),
    upstream: webEngage(settings),
    lingerMs: settings.lingerMs,
    msPerRecord: msPerRecordOf(settings.recordsPerMinutePerShard),
    lanes: laneCredits(settings.laneFloors),
    now: Date.now,
    sleep: (ms) => scheduler.wait(ms),
    random: Math.random,
    newRequestId,
    ...(settings.metricsToken && { observeDelivered: (waits) => observe(deliveredAfter(waits)) }),
    logFailedCall,
    logUnfamiliar,
    maxSubrequests: settings.maxSubrequests,
    logFault: (fault) => logFault('call_fault', fault),
  });
}

export const newRequestId = (): string => crypto.randomUUID().replaceAll('-', '');
