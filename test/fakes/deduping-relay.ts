import type { TrackerRecord } from '../../src/contract/record.ts';
import { accepted, type fakeTime, type scriptedRelay } from './platform.ts';

/** How the relay answers one request. `lost`: it has stored the records, and the answer never comes. */
export type Reply = 'settled' | 'slow' | 'lost' | 'offline' | 'rate_limited' | 'unavailable';

type Body = { readonly device: string; readonly records: readonly TrackerRecord[] };

type Arrived = { readonly device: string; readonly record: TrackerRecord };

/**
 * A relay that takes each record once by device and id, tells its time, and answers as it is told.
 *
 * @param clock the relay's own clock
 */
export function dedupingRelay(time: ReturnType<typeof fakeTime>, clock: () => number = time.now) {
  const replies: Reply[] = [];
  /** What each call arrived as, in the order of first arrivals. */
  const arrived = new Map<string, Arrived>();
  const requests: ReturnType<typeof scriptedRelay>['requests'] = [];
  /** What stands before the relay and answers in its place, or lets a body pass. */
  const onTheWay: { answer?: (body: string) => Response | undefined } = {};
  const judge: { answer?: (body: Body) => Response | undefined } = {};
  const busy = (status: number, code: string) =>
    Response.json(
      { error: { code, message: '' }, now: clock() },
      { status, headers: { 'Retry-After': '30' } },
    );

  const fetch = async (url: string | URL | globalThis.Request, init: RequestInit = {}): Promise<Response> => {
    const text = String(init.body);
    const body = JSON.parse(text) as Body;
    const { device, records } = body;
    requests.push({ url: String(url), init, records });
    const reply = replies.shift() ?? 'settled';
    if (reply === 'offline') throw new TypeError('Failed to fetch');
    const foreign = onTheWay.answer?.(text);
    if (foreign) return foreign;
    if (reply === 'rate_limited') return busy(429, 'rate_limited');
    if (reply === 'unavailable') return busy(503, 'unavailable');
    const refused = judge.answer?.(body);
    if (refused) return refused;
    if (records.length === 0)
      return Response.json(
        { error: { code: 'invalid_batch', message: 'records' }, now: clock() },
        { status: 400 },
      );
    let duplicates = 0;
    for (const record of records) {
      const key = `${device} ${record.id}`;
      if (arrived.has(key)) duplicates += 1;
      else arrived.set(key, { device, record });
    }
    if (reply === 'slow') await new Promise<void>((resolve) => void time.timer(resolve, 3_000));
    if (reply === 'lost') throw new TypeError('network changed');
    return accepted(records, { accepted: records.length - duplicates, duplicates, now: clock() });
  };
  const relay = { requests, fetch: fetch as typeof globalThis.fetch };
  return { relay, replies, arrived, requests, onTheWay, judge };
}
