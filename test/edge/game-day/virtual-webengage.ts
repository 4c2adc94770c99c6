import { vi } from 'vitest';
import type { ControlOrder } from '../../../src/sandbox/control.ts';
import { fakeAccount } from '../../fakes/account.ts';
import { chances } from '../../fakes/traffic.ts';
import type { VirtualTime } from './virtual-time.ts';

const LATENCY_MS = 300;

/** An event by the id that its sender gave it, and when WebEngage took it, in milliseconds since 1970. */
type TakenEvent = { readonly id: string; readonly at: number };

/** WebEngage by the sandbox's rules, at the other end of a slow network. Everything that is fetched asks it. */
export type VirtualWebEngage = {
  /** How it behaves from now on. */
  readonly order: (control: ControlOrder) => void;
  /** The events that it has taken, in their order. */
  readonly taken: readonly TakenEvent[];
  /** Calls that have no answer yet. */
  readonly inFlight: () => number;
};

export function virtualWebEngage(time: VirtualTime): VirtualWebEngage {
  const account = fakeAccount({}, Date.now, chances(7));
  const taken: TakenEvent[] = [];
  let inFlight = 0;

  async function answer(request: Request): Promise<Response> {
    time.stir();
    const [, license = '', kind] = /accounts\/([^/]+)\/bulk-(user|event)s$/.exec(request.url) ?? [];
    const reply = account.call({
      kind: kind as 'user' | 'event',
      license,
      requestId: request.headers.get('x-request-id') ?? '',
      key: (request.headers.get('Authorization') ?? '').replace('Bearer ', ''),
      body: await request.text(),
    });
    for (const { record } of account.taken.slice(taken.length))
      taken.push({ id: Object(record.eventData).n, at: Date.now() });
    inFlight += 1;
    try {
      await time.wait(LATENCY_MS + reply.delayMs, { signal: request.signal });
    } finally {
      inFlight -= 1;
    }
    if (reply.cut) throw new TypeError('the connection was lost');
    return new Response(reply.body, { status: reply.status, headers: reply.headers });
  }

  vi.stubGlobal('fetch', answer);
  return {
    order: account.order,
    taken,
    inFlight: () => inFlight,
  };
}
