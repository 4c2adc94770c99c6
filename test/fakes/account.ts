import { answer, type Reply } from '../../src/sandbox/answer.ts';
import { type ControlOrder, controlOf } from '../../src/sandbox/control.ts';
import { answerPrivacyRequest, type StoredRecord } from '../../src/sandbox/portability.ts';
import { minuteBegan } from '../../src/sandbox/rate.ts';

type Arrival = {
  readonly at: number;
  readonly path: string;
  /** 0: the answer broke off. */
  readonly status: number;
  readonly records: number;
};

type TakenRecord = { readonly path: string; readonly record: Readonly<Record<string, unknown>> };

/** WebEngage as the sandbox simulates it, without a process: its calls, and the records it has accepted, in order. */
export type FakeAccount = {
  readonly call: (call: {
    readonly kind: 'user' | 'event';
    readonly requestId: string;
    readonly body: string;
    readonly key?: string;
    readonly license?: string;
  }) => Reply;
  /** The privacy API. */
  readonly privacyRequest: (request: { readonly body: string; readonly key?: string }) => Reply;
  /** How it behaves from now on. */
  readonly order: (control: ControlOrder) => void;
  readonly arrivals: readonly Arrival[];
  readonly taken: readonly TakenRecord[];
  /** Records that came under the id of other records: the real one would have lost them. */
  readonly swallowed: () => number;
};

/** The key that it takes. */
export const FAKE_KEY = 'fake-key';
const LICENSE = '~fake';
const REQUESTS_PER_MINUTE = 500;

export function fakeAccount(order: ControlOrder, now: () => number, random: () => number): FakeAccount {
  let control = controlOf(order);
  const arrivals: Arrival[] = [];
  const taken: TakenRecord[] = [];
  const stored: StoredRecord[] = [];
  const bodies = new Map<string, string>();
  let swallowed = 0;
  return {
    arrivals,
    taken,
    swallowed: () => swallowed,
    order: (next) => {
      control = controlOf(next);
    },
    privacyRequest: ({ body, key = FAKE_KEY }) =>
      answerPrivacyRequest(
        control,
        { license: LICENSE, path: 'opengdpr_requests', authorization: `Bearer ${key}`, requestId: '', body },
        {
          now: now(),
          chance: random(),
          key: FAKE_KEY,
          license: LICENSE,
          requestsPerMinute: REQUESTS_PER_MINUTE,
          arrivals: 0,
          bodyBefore: undefined,
        },
        {
          recordsOf: (userId) => stored.filter(({ record }) => record.userId === userId),
          erase: (userId) => {
            stored.splice(0, stored.length, ...stored.filter(({ record }) => record.userId !== userId));
          },
        },
      ),
    call: ({ kind, requestId, body, key = FAKE_KEY, license = LICENSE }) => {
      const path = `bulk-${kind}s` as const;
      const counts = (arrival: Arrival) => control.limit === 'shared' || arrival.path === path;
      const from = minuteBegan(control.minute, now());
      const { reply, sent, records, settlesId, ...made } = answer(
        control,
        { license, path, authorization: `Bearer ${key}`, requestId, body },
        {
          now: now(),
          chance: random(),
          key: FAKE_KEY,
          license: LICENSE,
          requestsPerMinute: REQUESTS_PER_MINUTE,
          arrivals: arrivals.filter((arrival) => arrival.at > from && counts(arrival)).length,
          bodyBefore: bodies.get(requestId),
        },
      );
      arrivals.push({ at: now(), path, status: reply.cut ? 0 : reply.status, records: sent });
      if (settlesId) bodies.set(requestId, body);
      for (const judged of records.filter((each) => each.taken)) {
        const record = judged.record as TakenRecord['record'];
        taken.push({ path, record });
        stored.push({ path, record, dropped: judged.dropped });
      }
      swallowed += made.swallowed;
      return reply;
    },
  };
}

/** The most of these arrivals that lie within any 60 seconds. */
export function busiestMinute(arrivals: readonly { readonly at: number }[]): number {
  const moments = arrivals.map(({ at }) => at).sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [index, at] of moments.entries()) {
    while (at - (moments[first] ?? 0) >= 60_000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
