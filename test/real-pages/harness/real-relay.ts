import { afterAll, beforeAll } from 'vitest';
import { until } from '../../faults/until.ts';
import type { WebEngageEvent } from '../../journeys/received.ts';
import { type Stack, startStack } from '../../journeys/stack.ts';

type WebEngageUser = {
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly [field: string]: unknown;
};

/** The real relay in a process of its own, and WebEngage, played by the sandbox, behind it. */
export type RealRelay = {
  readonly url: () => string;
  /** What WebEngage took of one kind, once all that the relay had by now has left it. */
  readonly events: () => Promise<readonly WebEngageEvent[]>;
  readonly users: () => Promise<readonly WebEngageUser[]>;
  /** Posts to the relay as a page of this origin would, past any tracker. */
  readonly post: (body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answered>;
};

/** The relay's answer, whatever it is. */
type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly accepted?: number;
    readonly duplicates?: number;
    readonly rejected?: readonly {
      readonly id: string;
      readonly issues: readonly { readonly path: string; readonly message: string }[];
    }[];
    readonly repaired?: readonly {
      readonly id: string;
      readonly path: string;
      readonly rule: string;
      readonly done: string;
    }[];
    readonly now?: number;
    readonly error?: { readonly code: string };
  };
};

// What merges visitors is not asked here, so that nothing need wait for it.
const LINGER_MS = 50;

/** Declares the hooks of a file whose records reach WebEngage. To be called once, outside of any test. */
export function realRelay(settings: Readonly<Record<string, string>> = {}): RealRelay {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({ allowedOrigins: '*', lingerMs: LINGER_MS, settings });
  });
  afterAll(() => stack?.stop());

  const drained = () => until('all has left the relay', async () => (await stack.backlog()) === 0, 20_000);
  return {
    url: () => stack.relayUrl,
    events: async () => {
      await drained();
      return (await stack.received()).events;
    },
    users: async () => {
      await drained();
      return (await stack.received()).users;
    },
    post: async (body, headers = {}) => {
      const answer = await fetch(`${stack.relayUrl}/v1/batch`, {
        method: 'POST',
        headers: {
          Origin: 'https://shop.example.com',
          'Content-Type': 'text/plain;charset=UTF-8',
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: answer.status, headers: answer.headers, body: await answer.json() };
    },
  };
}
