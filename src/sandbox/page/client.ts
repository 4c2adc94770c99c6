import type { Control } from '../control.ts';
import type { DroppedIssue } from '../dropped.ts';

/** A user or an event, as it was sent. */
export type SentRecord = {
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly eventName?: string;
  readonly eventTime?: string;
};

export type Dropped = { readonly record: SentRecord; readonly issues: readonly DroppedIssue[] };

export type Call = {
  readonly at: number;
  readonly path: string;
  /** 0: not answered yet. */
  readonly status: number;
  readonly requestId: string;
  readonly records: number;
};

/** What this sandbox tells of itself. */
export type Received = {
  readonly users: readonly SentRecord[];
  readonly events: readonly SentRecord[];
  readonly calls: readonly Call[];
  readonly dropped: readonly Dropped[];
  readonly control: Control;
};

/** Changed settings. Undefined restores the default. */
export type Change = { readonly [Switch in string]?: unknown };

export async function look(): Promise<Received> {
  const [{ users, events }, calls, dropped, control] = await Promise.all([
    get<Pick<Received, 'users' | 'events'>>('/records'),
    get<readonly Call[]>('/calls'),
    get<readonly Dropped[]>('/dropped'),
    get<Control>('/control'),
  ]);
  return { users, events, calls, dropped, control };
}

// One order after the other: each builds on what the one before it has left.
let ordered: Promise<unknown> = Promise.resolve();

/** Changes settings of the sandbox; others stay. Rejects with the reason if the sandbox refuses the order. */
export function order(change: Change): Promise<void> {
  const made = ordered.then(() => send(change));
  // Whoever gave the order is told; the next one is not to fail with it.
  ordered = made.catch(() => undefined);
  return made;
}

async function send(change: Change): Promise<void> {
  const control = { ...(await get<Control>('/control')), ...change };
  const response = await fetch('/control', { method: 'POST', body: JSON.stringify(control) });
  if (!response.ok) throw new Error((await response.json()).error);
}

export async function empty(): Promise<void> {
  await fetch('/records', { method: 'DELETE' });
}

async function get<Body>(path: string): Promise<Body> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}
