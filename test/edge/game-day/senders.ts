import { MAX_BATCH_RECORDS, MAX_REQUEST_RECORDS } from '../../../src/contract/batch.ts';
import { MINUTE_MS } from '../../../src/pacing/minute.ts';
import type { FloodSource } from '../../game-day/scenarios.ts';
import { SERVER_TOKEN, SHOP } from '../requests.ts';
import type { Deployment } from './deployment.ts';

/** An event that a visitor's browser or the source of a flood has sent. */
type SentEvent = {
  readonly id: string;
  readonly by: 'visitor' | 'flood';
  /** It has the name `Refused`. */
  readonly isRefused: boolean;
  /** In milliseconds since 1970. */
  readonly at: number;
};

/** What a sender was told of a batch that was not taken. */
type Refusal = { readonly status: number; readonly message: string; readonly retryAfterS: number };

type Batch = {
  readonly events: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (now: number) => string;
  at: number;
};

type Source = { readonly everyMs: number; readonly makeBatch: () => Batch; nextAt: number };

/** Those who send to the relay. Each batch is kept by its sender until a 202 comes. */
export type Senders = {
  readonly sent: readonly SentEvent[];
  readonly refusals: readonly Refusal[];
  /** Events that their senders still keep. */
  readonly kept: () => number;
  /**
   * From now on visitors send this many events a minute: 25 each, with a browser of their own. Of a hundred events,
   * one has the name `Refused` if `poison` is true.
   */
  readonly visit: (perMinute: number, poison?: boolean) => void;
  /** From now on one source sends this many events a minute, in the largest requests that there are. */
  readonly flood: (source: FloodSource, perMinute: number) => void;
  /** The moments at which somebody sends, or tries again. */
  readonly moments: () => readonly number[];
  /** The request that is due now, if any. */
  readonly nextRequest: () => (() => Promise<void>) | undefined;
};

export function senders({ post }: Pick<Deployment, 'post'>): Senders {
  const sent: SentEvent[] = [];
  const refusals: Refusal[] = [];
  const keeping: Batch[] = [];
  const sources = new Map<SentEvent['by'], Source>();

  function batchOf(by: SentEvent['by'], amount: number, device: string, poison = false) {
    const session = crypto.randomUUID().replaceAll('-', '').slice(0, 22);
    const records = Array.from({ length: amount }, (_, index) => {
      const id = `${session}.${index + 1}`;
      const isRefused = poison && (sent.length + 1) % 100 === 0;
      sent.push({ id, by, isRefused, at: Date.now() });
      const eventName = isRefused ? 'Refused' : 'Clicked';
      return { kind: 'event', id, userId: session, eventName, eventData: { n: id } };
    });
    const body = (now: number) =>
      JSON.stringify({ v: 1, sentAt: new Date(now).toISOString(), device, records });
    return { events: amount, body, at: Date.now() };
  }

  function begin(by: SentEvent['by'], perMinute: number, batchEvents: number, makeBatch: () => Batch): void {
    if (perMinute === 0) sources.delete(by);
    else sources.set(by, { everyMs: (batchEvents / perMinute) * MINUTE_MS, makeBatch, nextAt: Date.now() });
  }

  async function send(batch: Batch): Promise<void> {
    const answer = await post(batch.body(Date.now()), batch.headers);
    if (answer.status === 202) {
      keeping.splice(keeping.indexOf(batch), 1);
      return;
    }
    const { error } = (await answer.json()) as { readonly error: { readonly message: string } };
    const retryAfterS = Number(answer.headers.get('Retry-After') ?? Number.NaN);
    refusals.push({ status: answer.status, message: error.message, retryAfterS });
    batch.at = Date.now() + 1_000 * (retryAfterS || 10);
  }

  return {
    sent,
    refusals,
    kept: () => keeping.reduce((sum, { events }) => sum + events, 0),
    visit: (perMinute, poison) =>
      begin('visitor', perMinute, MAX_BATCH_RECORDS, () => ({
        ...batchOf('visitor', MAX_BATCH_RECORDS, crypto.randomUUID(), poison),
        headers: { Origin: SHOP },
      })),
    flood: (source, perMinute) => {
      const device = crypto.randomUUID();
      const headers = source === 'server' ? { Authorization: `Bearer ${SERVER_TOKEN}` } : { Origin: SHOP };
      begin('flood', perMinute, MAX_REQUEST_RECORDS, () => ({
        ...batchOf('flood', MAX_REQUEST_RECORDS, device),
        headers,
      }));
    },
    moments: () => [...Array.from(sources.values(), ({ nextAt }) => nextAt), ...keeping.map(({ at }) => at)],
    nextRequest: () => {
      for (const source of sources.values()) {
        if (source.nextAt > Date.now()) continue;
        keeping.push(source.makeBatch());
        source.nextAt = Date.now() + source.everyMs;
      }
      const due = keeping.find(({ at }) => at <= Date.now());
      return due && (() => send(due));
    },
  };
}
