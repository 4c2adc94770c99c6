import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lane } from '../../../src/contract/lane.ts';
import type { RecordKind } from '../../../src/contract/record.ts';
import { inTurn, type Turns } from '../../../src/edge/durable-objects/turn.ts';
import { allowance, type SeenLimit } from '../../../src/edge/gate/allowance.ts';
import { misconfigured, refused, taken } from '../../../src/edge/gate/answers.ts';
import { type Permit, type PermitRequest, paused, takePermit } from '../../../src/edge/gate/permits.ts';
import {
  type GateLimits,
  type GateState,
  type KeyName,
  MIN_STREAK,
  OPEN_GATE,
} from '../../../src/edge/gate/state.ts';
import { busiestMinute } from '../../fakes/account.ts';

const NOW = Date.parse('2026-11-23T12:00:30Z');
const MINUTE = 60_000;
const LIMITS: GateLimits = { requestsPerMinute: 500, hasSecondaryKey: false, importFloor: 0.05 };
const TWO_KEYS: GateLimits = { ...LIMITS, hasSecondaryKey: true, importFloor: 0.05 };

const take = (state: GateState, now: number, request: Partial<PermitRequest> = {}, limits = LIMITS) =>
  takePermit(state, { isolating: false, seen: undefined, ...request }, limits, now);
const seen = (remaining: number, limit = 500, at = NOW): SeenLimit => ({ limit, remaining, at, ours: 0 });
const allowed = (state: GateState, now = NOW) => allowance(LIMITS.requestsPerMinute, state.seen, now);

type Starts = { readonly starts: { at: number; isolating: boolean }[]; readonly state: GateState };

/** Makes these requests one after another, as outboxes with a backlog do. Returns when calls were started. */
function requestAll(
  requests: readonly { readonly pause: number; readonly isolating: boolean }[],
  requestsPerMinute: number,
): Starts {
  const starts: Starts['starts'] = [];
  let state = OPEN_GATE;
  let now = NOW;
  for (const { pause, isolating } of requests) {
    now += pause;
    const answer = take(state, now, { isolating }, { ...LIMITS, requestsPerMinute });
    // A restart finds what was stored, and nothing else.
    state = JSON.parse(JSON.stringify(answer.state));
    if (answer.permit.granted) starts.push({ at: now + answer.permit.startInMs, isolating });
  }
  return { starts, state };
}

describe('any 60 seconds', () => {
  const requests = fc.array(
    fc.record({
      pause: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(0, 0, 1, 59_999, 60_000, 60_001)),
      isolating: fc.boolean(),
    }),
    { maxLength: 2_000 },
  );

  test('contain no more starts than allowed, whatever is requested and however often the gate restarts', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 2, max: 500 }), (sequence, perMinute) => {
        expect(busiestMinute(requestAll(sequence, perMinute).starts)).toBeLessThanOrEqual(perMinute);
      }),
    );
  });

  test('contain at most a tenth of them for bisection', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 20, max: 500 }), (sequence, perMinute) => {
        const isolating = requestAll(sequence, perMinute).starts.filter((start) => start.isolating);

        expect(busiestMinute(isolating)).toBeLessThanOrEqual(perMinute / 10);
      }),
    );
  });

  test('use 95 % of the allowance during a backlog, with bisection or without', () => {
    const everyTenMs = Array.from({ length: 6 * 6_000 }, (_, n) => ({ pause: 10, isolating: n % 3 === 0 }));
    const { starts } = requestAll(everyTenMs, 500);

    for (let minute = 1; minute < 5; minute++) {
      const from = NOW + minute * MINUTE;
      const used = starts.filter(({ at }) => at >= from && at < from + MINUTE).length;
      expect(used).toBeGreaterThanOrEqual(475);
    }
  });
});

describe('an import', () => {
  /** An outbox for each of these, with a backlog: it asks again when the gate tells it to. */
  function askFor(minutes: number, lanes: readonly Lane[], before = OPEN_GATE, from = NOW) {
    const starts: { at: number; lane: Lane }[] = [];
    const outboxes = lanes.map((lane, index) => ({ name: `${index}`, lane, asksAt: from }));
    const turns: Readonly<Record<'imports' | 'others', Turns>> = { imports: new Map(), others: new Map() };
    let state = before;
    for (let now = from; now < from + minutes * MINUTE; now += 5)
      for (const outbox of outboxes.filter(({ asksAt }) => asksAt <= now)) {
        const { name, lane } = outbox;
        const answer = take(state, now, { lane });
        state = JSON.parse(JSON.stringify(answer.state));
        const row = !answer.permit.granted && answer.permit.importsOnly ? 'imports' : 'others';
        const permit = inTurn(answer.permit, turns[row], name, now);
        if (permit.granted) starts.push({ at: now + permit.startInMs, lane });
        outbox.asksAt = now + (permit.granted ? permit.startInMs : permit.retryInMs);
      }
    return { starts, state };
  }

  test('alone gets 95 % of the allowance', () => {
    const { starts } = askFor(3, ['import']);

    expect(starts.filter(({ at }) => at >= NOW + MINUTE && at < NOW + 2 * MINUTE).length).toBeGreaterThan(
      475,
    );
  });

  test('beside others that use up the allowance gets its floor, and no more', () => {
    const { starts } = askFor(10, [...Array<Lane>(8).fill('live'), 'import', 'import']);

    const imports = starts.filter(({ lane }) => lane === 'import').length;
    expect(imports).toBeGreaterThanOrEqual(10 * 500 * 0.05 - 1);
    expect(imports).toBeLessThanOrEqual(10 * 500 * 0.05 + 3);
    expect(busiestMinute(starts)).toBeLessThanOrEqual(500);
  });

  test('is granted no start ahead: another call waits at most half the spacing behind it', () => {
    let { state, permit } = take(OPEN_GATE, NOW, { lane: 'import' });
    while (permit.granted) {
      expect(permit.startInMs).toBe(0);
      ({ state, permit } = take(state, NOW, { lane: 'import' }));
    }

    expect(permit).toMatchObject({ importsOnly: true });
    expect(permit.retryInMs).toBeLessThanOrEqual(Math.ceil(MINUTE / (500 * 0.965)));
    const live = take(state, NOW, { lane: 'live' }).permit;
    expect(live.granted && live.startInMs).toBeLessThanOrEqual(MINUTE / (500 * 0.965) / 2);
  });

  test('delays another call by at most the spacing if the allowance is too small for a burst', () => {
    const small = { ...LIMITS, requestsPerMinute: 60 };

    const { state } = take(OPEN_GATE, NOW, { lane: 'import' }, small);
    const { permit } = take(state, NOW + 900, { lane: 'live' }, small);

    expect(permit).toMatchObject({ granted: true });
    expect(take(state, NOW, { lane: 'live' }, small).permit).toMatchObject({
      granted: false,
      importsOnly: false,
    });
  });

  test('that was granted what nobody else wanted is not charged for it', () => {
    const { state } = askFor(1, ['import']);

    const { starts } = askFor(1, [...Array<Lane>(8).fill('live'), 'import'], state, NOW + MINUTE);

    const first = starts.find(({ lane }) => lane === 'import')?.at ?? Number.POSITIVE_INFINITY;
    // A 20th of 500 calls a minute is one every 2.4 s, and then its turn comes.
    expect(first - NOW - MINUTE).toBeLessThanOrEqual(2_400 + 1_500);
  });

  test('is granted again at once after the clock was set back', () => {
    const { state } = take(OPEN_GATE, NOW + 60 * MINUTE, { lane: 'import' });
    const busy = { ...state, pace: { nextDueAt: NOW + 300 } };

    expect(take(busy, NOW + 2_500, { lane: 'import' }).permit).toMatchObject({ granted: true });
  });
});

test('an outbox that may not bisect may do something else', () => {
  let state = OPEN_GATE;
  let permit: Permit | undefined;
  let now = NOW;
  while (permit?.granted !== false) {
    now += 200;
    ({ state, permit } = take(state, now, { isolating: true }));
  }

  expect(permit).toMatchObject({ isolatingOnly: true });
  expect(take(state, now).permit).toMatchObject({ granted: true });
  expect(take(state, now + permit.retryInMs, { isolating: true }).permit).toMatchObject({ granted: true });
});

test('bisection may use what no other call needs', () => {
  let state = OPEN_GATE;
  let granted = 0;
  for (let now = NOW; now < NOW + MINUTE; now += 250) {
    const answer = take(state, now, { isolating: true });
    state = answer.state;
    if (answer.permit.granted) granted += 1;
  }

  // Half of the allowance, and its own share.
  expect(granted).toBeGreaterThan(200);
  expect(granted).toBeLessThan(320);
});

describe('many outboxes that wait for the same gate', () => {
  test('each get a slot, so that it is asked little more often than it grants', () => {
    const outboxes = Array.from({ length: 64 }, (_, index) => ({ name: `${index}`, requestsAt: NOW }));
    let state = OPEN_GATE;
    const turns: Turns = new Map();
    let requests = 0;
    let granted = 0;
    for (let now = NOW; now < NOW + 2 * MINUTE; now += 5)
      for (const outbox of outboxes) {
        if (outbox.requestsAt > now) continue;
        requests += 1;
        const answer = take(state, now);
        state = answer.state;
        const permit = inTurn(answer.permit, turns, outbox.name, now);
        if (permit.granted) granted += 1;
        // A call is under way meanwhile, and others with it.
        outbox.requestsAt = now + (permit.granted ? permit.startInMs : permit.retryInMs);
      }

    expect(granted).toBeGreaterThanOrEqual(2 * 475);
    expect(requests).toBeLessThanOrEqual(6 * granted);
  });

  test('wait no longer than necessary if no others wait', () => {
    let { state, permit } = take(OPEN_GATE, NOW);
    while (permit.granted) ({ state, permit } = take(state, NOW));

    expect(inTurn(permit, new Map(), 'a', NOW)).toEqual(permit);
    expect(inTurn(permit, new Map([['b', NOW - MINUTE]]), 'a', NOW)).toEqual(permit);
  });

  test('keep their slot if they ask before it', () => {
    let { state, permit } = take(OPEN_GATE, NOW);
    while (permit.granted) ({ state, permit } = take(state, NOW));
    const turns: Turns = new Map([['b', NOW + 1_000]]);
    const first = inTurn(permit, turns, 'a', NOW);

    for (let asked = 1; asked < 10; asked++) expect(inTurn(permit, turns, 'a', NOW)).toEqual(first);
    expect(turns.size).toBe(2);
  });

  test('get a slot at most two seconds ahead, because those before may have nothing left to send', () => {
    let { state, permit } = take(OPEN_GATE, NOW);
    while (permit.granted) ({ state, permit } = take(state, NOW));

    expect(inTurn(permit, new Map([['b', NOW + MINUTE]]), 'a', NOW)).toMatchObject({
      granted: false,
      retryInMs: 2_000,
    });
  });
});

describe('a pause', () => {
  test('lasts until its end, and a shorter one does not cut it', () => {
    const state = paused(paused(OPEN_GATE, NOW + MINUTE), NOW + 1_000);

    expect(take(state, NOW + 30_000).permit).toMatchObject({ granted: false, retryInMs: 30_000 });
    expect(take(state, NOW + MINUTE).permit).toMatchObject({ granted: true });
  });
});

describe('WebEngage’s own limit headers', () => {
  test('slow the relay down if they allow less, and never speed it up beyond the operator’s limit', () => {
    const limitOf = (limit: number) => allowed(take(OPEN_GATE, NOW, { seen: seen(limit, limit) }).state);

    expect(limitOf(100)).toBe(100);
    expect(limitOf(5_000)).toBe(500);
    expect(limitOf(0)).toBe(500);
  });

  test('are required before more than 500 calls are used', () => {
    const more = { ...LIMITS, requestsPerMinute: 1_200 };
    const seen = { limit: 1_000, remaining: 1_000, at: NOW, ours: 0 };
    const used = (known: SeenLimit | undefined) => allowance(more.requestsPerMinute, known, NOW);

    expect(used(undefined)).toBe(500);
    expect(used(seen)).toBe(1_000);
    expect(used({ ...seen, limit: 5_000, remaining: 5_000 })).toBe(1_200);
  });

  test('are forgotten as soon as they change', () => {
    const { state } = take(OPEN_GATE, NOW, { seen: seen(100, 100) });

    expect(allowed(take(state, NOW, { seen: seen(500) }).state)).toBe(500);
  });

  test('leave the calls of others on the account, and a few more, to them for a minute', () => {
    const { state } = take(OPEN_GATE, NOW, { seen: { ...seen(260), ours: 40 } });

    expect(allowed(state)).toBe(500 - 200 - 10);
    expect(allowed(state, NOW + MINUTE)).toBe(500);
  });

  test('are not mistaken for others’ calls if the calls are ours', () => {
    expect(allowed(take(OPEN_GATE, NOW, { seen: { ...seen(96), ours: 400 } }).state)).toBe(500);
  });

  test('stop calls at once if less is left than was used', () => {
    let state = OPEN_GATE;
    for (let at = 0; at < MINUTE; at += 100) ({ state } = take(state, NOW + at));
    const answer = take(state, NOW + MINUTE, { seen: { ...seen(0, 500, NOW + MINUTE), ours: 200 } });

    expect(answer.permit).toMatchObject({ granted: false });
    expect(answer.permit.granted ? 0 : answer.permit.retryInMs).toBeGreaterThan(10_000);
  });

  test('keep a sliding minute shared with others from ever answering 429', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 20, max: 700 }), (others, latency) => {
        const arrivals: number[] = [];
        let state = OPEN_GATE;
        let refusals = 0;
        const answers: { at: number; seen: SeenLimit }[] = [];
        let latest: SeenLimit | undefined;
        // Others call evenly, so many in any minute.
        for (let now = NOW; now < NOW + 5 * MINUTE; now += 25) {
          while (answers[0] !== undefined && answers[0].at <= now) latest = answers.shift()?.seen;
          const answer = take(state, now, { seen: latest });
          latest = undefined;
          state = answer.state;
          if (!answer.permit.granted) continue;
          const at = now + answer.permit.startInMs;
          const used = arrivals.filter((arrival) => arrival > at - MINUTE).length + others;
          if (used >= 500) refusals += 1;
          arrivals.push(at);
          const remaining = Math.max(0, 499 - used);
          answers.push({ at: at + latency, seen: { limit: 500, remaining, at, ours: answer.permit.ours } });
        }
        expect(refusals).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a wrong key, license or address', () => {
  const wrong = (state: GateState, status: number, key: KeyName, limits: GateLimits, now: number) =>
    misconfigured(state, status, { key, kind: 'event', before: undefined }, limits, now).state;

  test('suspends everything, and then one call a minute probes', () => {
    const state = wrong(OPEN_GATE, 401, 'primary', LIMITS, NOW);

    expect(state.suspension).toMatchObject({ since: NOW, status: 401 });
    expect(take(state, NOW + 59_999).permit).toMatchObject({ granted: false });
    const probe = take(state, NOW + MINUTE);
    expect(probe.permit).toMatchObject({ granted: true, probe: true, suspect: true });
    expect(take(probe.state, NOW + MINUTE + 1).permit).toMatchObject({ granted: false, retryInMs: 59_999 });
  });

  test('is probed by the first outbox that asks, even if it may not bisect', () => {
    const limits = { ...LIMITS, requestsPerMinute: 10 };
    const state = {
      ...OPEN_GATE,
      isolationPace: { nextDueAt: NOW + 2 * MINUTE },
      starts: [NOW + MINUTE - 3_000],
    };
    const suspended = wrong(state, 401, 'primary', limits, NOW);

    expect(take(state, NOW + MINUTE, { isolating: true }, limits).permit).toMatchObject({ granted: false });
    expect(take(suspended, NOW + MINUTE, { isolating: true }, limits).permit).toMatchObject({ probe: true });
  });

  test('ends with the first accepted call', () => {
    const suspended = wrong(OPEN_GATE, 401, 'primary', LIMITS, NOW);

    expect(take(taken(suspended, 'primary', 'event', NOW), NOW + 1).permit).toMatchObject({
      granted: true,
      probe: false,
      suspect: false,
    });
  });

  test('tries the secondary key once, at once, before everything is suspended', () => {
    const first = wrong(OPEN_GATE, 401, 'primary', TWO_KEYS, NOW);
    expect(first.suspension).toBeUndefined();
    expect(take(first, NOW, {}, TWO_KEYS).permit).toMatchObject({
      granted: true,
      key: 'secondary',
      suspect: true,
    });

    const second = wrong(first, 401, 'secondary', TWO_KEYS, NOW);
    expect(second.suspension).toMatchObject({ status: 401 });
  });

  test('does not count again for a call that left before the key changed', () => {
    const first = wrong(OPEN_GATE, 401, 'primary', TWO_KEYS, NOW);

    expect(wrong(first, 401, 'primary', TWO_KEYS, NOW)).toEqual(first);
  });

  test('keeps the key that works, and switches back when that one is refused', () => {
    const rotated = taken(wrong(OPEN_GATE, 401, 'primary', TWO_KEYS, NOW), 'secondary', 'event', NOW);
    expect(take(rotated, NOW, {}, TWO_KEYS).permit).toMatchObject({ key: 'secondary', suspect: false });

    const back = wrong(rotated, 401, 'secondary', TWO_KEYS, NOW);
    expect(take(back, NOW, {}, TWO_KEYS).permit).toMatchObject({ granted: true, key: 'primary' });
  });

  test('makes each probe try the key that the previous one did not', () => {
    let state = wrong(wrong(OPEN_GATE, 401, 'primary', TWO_KEYS, NOW), 401, 'secondary', TWO_KEYS, NOW);
    const tried: string[] = [];
    for (let minute = 1; minute <= 4; minute++) {
      const probe = take(state, NOW + minute * MINUTE, {}, TWO_KEYS);
      if (!probe.permit.granted) continue;
      tried.push(probe.permit.key);
      state = wrong(probe.state, 401, probe.permit.key, TWO_KEYS, NOW + minute * MINUTE);
    }

    expect(tried).toEqual(['primary', 'secondary', 'primary', 'secondary']);
  });
});

describe('a streak of refusals', () => {
  const refuse = (times: number, state = OPEN_GATE) =>
    Array.from({ length: times }).reduce<GateState>(
      (before, _, n) => refused(before, 400, { kind: 'event', before: undefined }, NOW + n).state,
      state,
    );

  const refusalStreak = (state: GateState) =>
    refused(state, 400, { kind: 'event', before: undefined }, NOW + 1_000).refusal.streak;

  test('does not count while it is short, or if a call is accepted in between', () => {
    expect(refusalStreak(refuse(MIN_STREAK - 2))).toBeUndefined();
    expect(refusalStreak(refuse(10, taken(refuse(MIN_STREAK - 1), 'primary', 'event', NOW)))).toBeUndefined();
    expect(take(refuse(MIN_STREAK - 1), NOW + MINUTE).permit).toMatchObject({
      granted: true,
      suspect: true,
    });
  });

  test('suspends everything and reports since when nothing was accepted', () => {
    const state = refuse(MIN_STREAK);

    expect(state.suspension).toMatchObject({ status: 400 });
    expect(refusalStreak(state)).toEqual({ since: NOW, until: undefined });
    expect(take(state, NOW + 1_000).permit).toMatchObject({ granted: false, streak: { since: NOW } });
  });

  test('counts from its first refusal, however often a probe is refused', () => {
    const state = refuse(MIN_STREAK);
    const { state: probed } = take(state, NOW + 2 * MINUTE);

    const after = refused(probed, 413, { kind: 'event', before: undefined }, NOW + 2 * MINUTE + 700).state;
    expect(after.suspension).toEqual({ ...probed.suspension, status: 413 });
    expect(probed.suspension?.since).toBe(state.suspension?.since);
  });

  test('excludes records refused both before and after an accepted call, which are confirmed bad', () => {
    const state = taken(refuse(5), 'primary', 'event', NOW + 1_000);

    const again = refused(state, 400, { kind: 'event', before: NOW + 500 }, NOW + 2_000);
    expect(again).toEqual({ state, refusal: { proven: true, streak: undefined } });
    expect(refused(state, 400, { kind: 'event', before: NOW + 1_500 }, NOW + 2_000).refusal.proven).toBe(
      false,
    );
  });
});

describe('a call whose answer means a wrong configuration', () => {
  const answered = (before: number | undefined, kind: RecordKind = 'event') =>
    ({ key: 'primary', kind, before }) as const;
  const at = NOW + 2_000;

  test('suspends nothing while others of its kind are accepted, because the batch is at fault', () => {
    const state = taken(OPEN_GATE, 'primary', 'event', NOW + 1_000);

    expect(misconfigured(state, 403, answered(NOW), LIMITS, at)).toEqual({ state, fault: 'batch' });
    expect(misconfigured(state, 403, answered(NOW + 1_500), LIMITS, at)).toMatchObject({
      state: { suspension: { status: 403 } },
      fault: 'account',
    });
  });

  test('blames its kind while only the other kind is accepted, until one of its own kind is', () => {
    const first = misconfigured(OPEN_GATE, 403, answered(undefined, 'user'), LIMITS, NOW).state;
    const state = taken(first, 'primary', 'event', NOW + 1_000);

    expect(misconfigured(state, 403, answered(NOW, 'user'), LIMITS, at)).toEqual({ state, fault: 'kind' });
    expect(misconfigured(state, 403, answered(undefined, 'user'), LIMITS, at)).toEqual({
      state,
      fault: 'kind',
    });
    const mended = taken(state, 'primary', 'user', NOW + 1_500);
    expect(misconfigured(mended, 403, answered(undefined, 'user'), LIMITS, at).fault).toBe('account');
  });
});

test('a streak that has ended is remembered for outboxes that had nothing to ask', () => {
  let state = OPEN_GATE;
  for (let n = 0; n < MIN_STREAK; n++)
    ({ state } = refused(state, 400, { kind: 'event', before: undefined }, NOW + n));

  expect(taken(state, 'primary', 'event', NOW + MINUTE).lastStreak).toEqual({
    since: NOW,
    until: NOW + MINUTE,
  });
  expect(taken(OPEN_GATE, 'primary', 'event', NOW).lastStreak).toBeUndefined();
});

test('a clock set back does not keep its calls counted for as long', () => {
  let state = OPEN_GATE;
  for (let at = 0; at < MINUTE; at += 100) ({ state } = take(state, NOW + at));

  const back = take(state, NOW - 3_600_000);
  expect(back.permit).toMatchObject({ granted: false });
  expect(take(back.state, NOW - 3_600_000 + MINUTE).permit).toMatchObject({ granted: true });
});
