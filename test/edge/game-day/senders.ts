import { MINUTE_MS } from '../../../src/pacing/minute.ts';
import { SHOP } from '../requests.ts';
import type { Deployment } from './deployment.ts';

const RECORDS_A_FLUSH = 25;

type Batch = { readonly body: (now: number) => string; at: number };

/** Browsers that flush, each once. A browser keeps its batch until a 202 comes. */
export type Visitors = {
  /** The ids of all events that they have sent. */
  readonly sent: readonly string[];
  /** How many of the events have the name `Refused`. */
  readonly refusedEvents: () => number;
  /** Events that they still keep. */
  readonly kept: () => number;
  /** From now on they send this many events a minute. Of a hundred, one has the name `Refused` if `poison` is true. */
  readonly send: (perMinute: number, poison?: boolean) => void;
  /** The moments at which the next one flushes, or one tries again. */
  readonly moments: () => readonly number[];
  /** The request that is due now, if any. */
  readonly nextRequest: () => (() => Promise<void>) | undefined;
};

export function visitors({ post }: Pick<Deployment, 'post'>): Visitors {
  const sent: string[] = [];
  const keeping: Batch[] = [];
  let refusedEvents = 0;
  let perMinute = 0;
  let poison = false;
  let nextAt = 0;

  function recordOf(session: string, n: number): object {
    const id = `${session}.${n}`;
    sent.push(id);
    const isRefused = poison && sent.length % 100 === 0;
    if (isRefused) refusedEvents += 1;
    const eventName = isRefused ? 'Refused' : 'Clicked';
    return { kind: 'event', id, userId: session, eventName, eventData: { n: id } };
  }

  function flush(): void {
    const session = crypto.randomUUID().replaceAll('-', '').slice(0, 22);
    const records = Array.from({ length: RECORDS_A_FLUSH }, (_, index) => recordOf(session, index + 1));
    const device = crypto.randomUUID();
    const body = (now: number) =>
      JSON.stringify({ v: 1, sentAt: new Date(now).toISOString(), device, records });
    keeping.push({ body, at: Date.now() });
  }

  async function send(batch: Batch): Promise<void> {
    const answer = await post(batch.body(Date.now()), { Origin: SHOP });
    if (answer.status === 202) keeping.splice(keeping.indexOf(batch), 1);
    else batch.at = Date.now() + 1_000 * Number(answer.headers.get('Retry-After') ?? 10);
  }

  return {
    sent,
    refusedEvents: () => refusedEvents,
    kept: () => keeping.length * RECORDS_A_FLUSH,
    send: (amount, hasPoison = false) => {
      perMinute = amount;
      poison = hasPoison;
      nextAt = Date.now();
    },
    moments: () => [...(perMinute > 0 ? [nextAt] : []), ...keeping.map(({ at }) => at)],
    nextRequest: () => {
      if (perMinute > 0 && nextAt <= Date.now()) {
        flush();
        nextAt = Date.now() + (RECORDS_A_FLUSH / perMinute) * MINUTE_MS;
      }
      const due = keeping.find(({ at }) => at <= Date.now());
      return due && (() => send(due));
    },
  };
}
