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

type WebEngage = {
  readonly received: () => Promise<WebEngageRecords>;
  /** Records that the relay has accepted and not yet delivered. */
  readonly backlog: () => Promise<number>;
};

/** The events WebEngage has, once there are so many and the relay has nothing left to send: not one too many either. */
export async function eventsReceived(
  { received, backlog }: WebEngage,
  count: number,
  withinMs = 40_000,
): Promise<readonly WebEngageEvent[]> {
  const options = { timeout: withinMs, interval: 100 };
  await expect.poll(async () => (await received()).events.length, options).toBeGreaterThanOrEqual(count);
  await expect.poll(backlog, options).toBe(0);
  return (await received()).events;
}
