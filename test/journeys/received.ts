import { expect } from 'vitest';

type WebEngageUser = { readonly userId?: string; readonly [field: string]: unknown };

export type WebEngageEvent = {
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly eventName: string;
  readonly eventTime: string;
  readonly eventData?: Readonly<Record<string, unknown>>;
};

/** What WebEngage took, in order of arrival. */
export type WebEngageRecords = {
  readonly users: readonly WebEngageUser[];
  readonly events: readonly WebEngageEvent[];
};

export type WebEngageCall = {
  readonly at: number;
  readonly path: 'bulk-users' | 'bulk-events';
  readonly status: number;
  readonly requestId: string;
  readonly records: number;
};

type Sandbox = { readonly received: () => Promise<WebEngageRecords> };

/** Waits until WebEngage has at least so many events, and then whether more come that should not. */
export async function eventsReceived(
  sandbox: Sandbox,
  count: number,
  withinMs = 30_000,
): Promise<readonly WebEngageEvent[]> {
  await expect
    .poll(async () => (await sandbox.received()).events.length, { timeout: withinMs, interval: 100 })
    .toBeGreaterThanOrEqual(count);
  return (await sandbox.received()).events;
}
