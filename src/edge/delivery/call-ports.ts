import type { RecordKind } from '../../contract/record.ts';
import type { Answered, Fault, Refusal } from '../gate/answers.ts';
import type { Permit, PermitRequest } from '../gate/permits.ts';
import type { KeyName } from '../gate/state.ts';
import type { Wait } from '../queue/call-outcome.ts';
import type { FailedCall } from '../telemetry/log.ts';
import type { Evidence } from './evidence.ts';
import type { Upstream } from './webengage.ts';

/** The rate gate as an outbox sees it: the account's rate limit and state. */
export interface Gate {
  take(request: PermitRequest): Promise<Permit>;
  pause(forMs: number): Promise<void>;
  taken(key: KeyName, kind: RecordKind): Promise<void>;
  misconfigured(status: number, answered: Answered & { readonly key: KeyName }): Promise<Fault>;
  refused(status: number, answered: Answered): Promise<Refusal>;
  /** Reports that a call of this many bytes was accepted, or was too large. */
  sized(bytes: number, wasTaken: boolean): Promise<void>;
}

/** What a call needs, and how it reports trouble. */
export type CallPorts = {
  readonly storage: DurableObjectStorage;
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly evidence: Evidence;
  readonly now: () => number;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly newRequestId: () => string;
  /** Observes how long delivered records had waited. */
  readonly observeDelivered?: (waits: readonly Wait[]) => void;
  /** Logs that a call did not settle its batch. Status 0: no answer. */
  readonly logFailedCall: (call: FailedCall) => void;
  /** Logs that WebEngage accepted a call with an answer that it does not document. */
  readonly logUnfamiliar: (says: string) => void;
  /** Logs that the relay itself failed, with no call to blame. */
  readonly logFault: (fault: unknown) => void;
};
