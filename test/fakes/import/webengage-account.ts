import type { Upstream, UpstreamAnswer, UpstreamCall } from '../../../src/edge/delivery/webengage.ts';
import type { fakeTime } from '../platform.ts';

/** How WebEngage answers one call. `lost`: it has the records, and the answer never comes. */
export type CallReply = 'taken' | 'slow' | 'lost' | 'down' | 'cut' | 'page' | '429' | '401' | '403' | '413';

type Rows = readonly { readonly userId: string; readonly n: number }[];

/** An account of WebEngage that honours request ids, refuses poison, and answers as it is told. */
export function webEngageAccount(time: ReturnType<typeof fakeTime>) {
  const replies: CallReply[] = [];
  const taken: { readonly userId: string; readonly n: number }[] = [];
  const calls: { readonly at: number; readonly requestId: string; readonly rows: Rows }[] = [];
  /** The rows of each request id: they must never change. */
  const rowsOf = new Map<string, string>();
  const changed: string[] = [];
  const known = new Set<string>();
  const rules: { refuses: (row: { readonly n: number }) => boolean; maxBytes: number } = {
    refuses: () => false,
    maxBytes: Number.POSITIVE_INFINITY,
  };

  const answer = (status: number, says?: string, words = ''): UpstreamAnswer => ({
    status,
    retryAfter: status === 429 ? '7' : null,
    says,
    words,
    bytes: 0,
    rateLimit: undefined,
  });
  const toRows = ({ records }: UpstreamCall): Rows =>
    records.map(({ userId, eventData, attributes }) => ({
      userId: String(userId),
      n: Number(Object(eventData ?? attributes).n),
    }));

  function take({ requestId }: UpstreamCall, rows: Rows): UpstreamAnswer {
    if (known.has(requestId)) return answer(200, 'queued');
    if (rows.some(rules.refuses)) return answer(400, 'error', 'a record is invalid');
    known.add(requestId);
    taken.push(...rows);
    return answer(200, 'queued');
  }

  const upstream: Upstream = async (call) => {
    const rows = toRows(call);
    const bytes = JSON.stringify(call.records).length;
    calls.push({ at: time.now(), requestId: call.requestId, rows });
    const members = JSON.stringify(rows);
    if ((rowsOf.get(call.requestId) ?? members) !== members) changed.push(call.requestId);
    rowsOf.set(call.requestId, members);
    const reply = replies.shift() ?? 'taken';
    // A call that was taken is not too large the next time, nor is a single row.
    const mayBeTooLarge = rows.length > 1 && !known.has(call.requestId);
    const isTooLarge = bytes > rules.maxBytes || (reply === '413' && mayBeTooLarge);
    if (isTooLarge) return { ...answer(413), bytes };
    switch (reply) {
      case 'taken':
        return take(call, rows);
      case 'slow':
        await new Promise<void>((resolve) => void time.timer(resolve, 3_000));
        return take(call, rows);
      case 'lost':
        take(call, rows);
        return answer(0);
      case 'cut':
      case '413':
        return answer(0);
      case 'down':
        return answer(503);
      case 'page':
        return answer(200, undefined, 'We are down for maintenance');
      default:
        return answer(Number(reply), 'error', 'no');
    }
  };
  return { upstream, replies, taken, calls, changed, rules };
}
