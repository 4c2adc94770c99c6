import type { OutboxStatus } from '../queue/status.ts';
import type { Observations } from '../telemetry/observations.ts';

/** An outbox's figures for `/metrics`. All of them are stored, so no count ever becomes less. */
export type OutboxMetrics = Omit<OutboxStatus, 'minutes' | 'violations' | 'byStatus'> & {
  readonly observed: Observations;
  /** No record waits. The figures stay as they are until the outbox counts again. */
  readonly isResting: boolean;
};
