import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answers } from '../../../src/cli/probe/answers.ts';
import type { ProbeOptions } from '../../../src/cli/probe/options.ts';
import { probe } from '../../../src/cli/probe/probe.ts';
import { type Profile, parseProfile } from '../../../src/cli/probe/profile.ts';
import { sandboxOrder } from '../../../src/cli/probe/sandbox-order.ts';
import { type ControlOrder, parseControl } from '../../../src/sandbox/control.ts';
import { FAKE_KEY } from '../../fakes/account.ts';
import { type PlayedOperator, playedOperator, playedPipe } from '../../fakes/cli/operator.ts';
import {
  accountNearby,
  type Interception,
  type ReachedAccount,
  servedAccount,
} from '../../fakes/cli/served-account.ts';

const LICENSE = '~fake';
// It moves the choice of a yes-or-no question to its other side.
const LEFT = '\u001b[D';
const USUAL_BYTES = [16_384, 65_536, 100_000, 102_400, 131_072, 262_144, 524_288, 1_000_000];

let dir: string;
let files = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'webengage-relay-probe-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

type Given = {
  readonly options?: Partial<ProbeOptions>;
  readonly operator?: PlayedOperator;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly wait?: (ms: number) => Promise<void>;
};

/** Runs the command against an account, without waiting. */
async function probed(
  { host, fetch }: ReachedAccount,
  { options, operator = playedPipe(), ...given }: Given = {},
) {
  files += 1;
  const out = join(dir, `${files}.json`);
  const code = await probe(
    { license: LICENSE, region: 'global', out, yes: true, ...options },
    {
      ...operator,
      env: { WEBENGAGE_HOST: host, WEBENGAGE_API_KEY: FAKE_KEY },
      wait: async () => undefined,
      now: () => Date.UTC(2026, 10, 30),
      signal: new AbortController().signal,
      fetch,
      ...given,
    },
  );
  const text = existsSync(out) ? await readFile(out, 'utf8') : undefined;
  return { code, text, shown: operator.shown(), out };
}

function profileIn(text: string | undefined): Profile {
  const read = parseProfile(text ?? '');
  if (!read.ok) throw new Error(read.message);
  return read.profile;
}

type Values = { readonly [name in keyof Answers]: Answers[name]['value'] };

function valuesIn(text: string | undefined): Values {
  const { answers } = profileIn(text);
  return Object.fromEntries(Object.entries(answers).map(([name, { value }]) => [name, value])) as Values;
}

describe('against the sandbox', () => {
  test('it finds the documented behavior, in about thirty calls, and leaves only what it has announced', async () => {
    await using served = await servedAccount({
      portability: 'profile_and_events',
      reusedRequestId: 'swallowed',
    });

    const { code, text, shown } = await probed(served);

    expect(code).toBe(0);
    expect(valuesIn(text)).toEqual({
      success: 200,
      limit: 'shared',
      requestsPerMinute: 500,
      rateHeaders: 'sent',
      empty: 'refused',
      invalid: 'fails_call',
      idempotency: 'honoured',
      reusedRequestId: 'accepted',
      tooMany: 'refused',
      dateZ: 'refused',
      dateColon: 'refused',
      dateMilliseconds: 'refused',
      dateEpoch: 'refused',
      nulls: 'refused',
      rcsOptIn: 'accepted',
      largestBody: { acceptedBytes: 1_048_576, refusedBytes: null },
      portability: 'profile_and_events',
    });
    expect(served.account.arrivals.length).toBeGreaterThan(20);
    expect(served.account.arrivals.length).toBeLessThan(35);
    const ids = new Set(served.account.taken.map(({ record }) => record.userId));
    expect(ids.size).toBe(2);
    for (const id of ids) {
      expect(id).toMatch(/^relay-probe-[\da-f]{8}(-2)?$/);
      expect(shown).toContain(String(id));
    }
  });

  test('neither key nor license code is written or shown', async () => {
    const served = accountNearby();

    const { text, shown } = await probed(served);

    expect(text).not.toContain(FAKE_KEY);
    expect(text).not.toContain(LICENSE);
    expect(shown).not.toContain(FAKE_KEY);
  });

  test('each call is shown before it is made', async () => {
    const shownBefore: boolean[] = [];
    const operator = playedPipe();
    const served = accountNearby({}, ({ body, path }) => {
      const start = path.endsWith('opengdpr_requests') ? 'opengdpr_requests' : body.slice(0, 90);
      shownBefore.push(operator.shown().includes(start));
      return undefined;
    });

    await probed(served, { operator });

    expect(shownBefore.length).toBeGreaterThan(20);
    expect(shownBefore).not.toContain(false);
  });

  const ENDS = fc.constantFrom('refused' as const, 'dropped' as const, 'accepted' as const);
  const ORDER = fc.record({
    success: fc.constantFrom(200 as const, 201 as const),
    invalid: fc.constantFrom('fails_call' as const, 'drops_record' as const),
    dateForms: fc.record({ z: ENDS, colon: ENDS, milliseconds: ENDS, epoch: ENDS }),
    nulls: ENDS,
    rcsOptIn: fc.constantFrom('accepted' as const, 'ignored' as const, 'refused' as const),
    tooMany: fc.constantFrom('refused' as const, 'cut' as const, 'accepted' as const),
    empty: fc.constantFrom('refused' as const, 'accepted' as const),
    idempotency: fc.constantFrom('honoured' as const, 'ignored' as const),
    reusedRequestId: fc.constantFrom('refused' as const, 'swallowed' as const),
    limit: fc.constantFrom('shared' as const, 'separate' as const),
    rateHeaders: fc.constantFrom('sent' as const, 'absent' as const),
    requestsPerMinute: fc.integer({ min: 60, max: 100_000 }),
    maxBodyBytes: fc.oneof(fc.integer({ min: 5_000, max: 1_048_575 }), fc.constantFrom(...USUAL_BYTES)),
    portability: fc.constantFrom(
      'profile_and_events' as const,
      'profile' as const,
      'receipt' as const,
      'refused' as const,
    ),
  });
  type Order = typeof ORDER extends fc.Arbitrary<infer Value> ? Value : never;

  /** The most that can be known from outside under these switches. */
  function knowable(order: Order): Omit<Values, 'largestBody'> {
    const isRead = order.portability.startsWith('profile');
    // Without a failing call, nobody can tell a refused record from a dropped one.
    const endOf = (end: Values['nulls']) => {
      const seen = end === 'refused' && order.invalid === 'drops_record' ? 'dropped' : end;
      return isRead || seen === 'refused' ? seen : 'unknown';
    };
    const ifRead = <Value>(value: Value) => (isRead ? value : 'unknown');
    const ifStated = <Value>(value: Value) => (order.rateHeaders === 'sent' ? value : 'unknown');
    const isReuseSeen = order.portability === 'profile_and_events' || order.reusedRequestId === 'swallowed';
    return {
      success: order.success,
      limit: ifStated(order.limit),
      requestsPerMinute: ifStated(order.requestsPerMinute),
      rateHeaders: order.rateHeaders,
      empty: order.empty,
      invalid: order.invalid === 'fails_call' ? 'fails_call' : ifRead('drops_record'),
      idempotency: isReuseSeen ? ifRead(order.idempotency) : 'unknown',
      reusedRequestId: order.reusedRequestId === 'refused' ? 'refused' : 'accepted',
      tooMany: order.tooMany === 'refused' ? 'refused' : ifRead(order.tooMany),
      dateZ: endOf(order.dateForms.z),
      dateColon: endOf(order.dateForms.colon),
      dateMilliseconds: endOf(order.dateForms.milliseconds),
      dateEpoch: endOf(order.dateForms.epoch),
      nulls: endOf(order.nulls),
      rcsOptIn: rcsOf(order, isRead),
      portability: order.portability,
    };
  }

  function rcsOf({ rcsOptIn, invalid }: Order, isRead: boolean): Values['rcsOptIn'] {
    if (rcsOptIn === 'refused') return invalid === 'fails_call' ? 'refused' : 'unknown';
    return isRead ? rcsOptIn : 'unknown';
  }

  test('the profile is the switches, as far as they show: whatever they are', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(ORDER, async (order) => {
        const { text } = await probed(accountNearby(order));

        const { largestBody, ...values } = valuesIn(text);
        expect(values).toEqual(knowable(order));
        if (largestBody === 'unknown') throw new Error('the largest body is always to be found');
        const { acceptedBytes, refusedBytes } = largestBody;
        expect(acceptedBytes).toBeLessThanOrEqual(order.maxBodyBytes);
        expect(refusedBytes).toBeGreaterThan(order.maxBodyBytes);
        expect(Number(refusedBytes) - acceptedBytes).toBeLessThanOrEqual(Math.max(1024, acceptedBytes / 64));
        if (USUAL_BYTES.includes(order.maxBodyBytes)) expect(acceptedBytes).toBe(order.maxBodyBytes);
      }),
      { numRuns: 25 },
    );
  });

  test('the sandbox plays the profile: probed itself, it gives the same one', {
    timeout: 120_000,
  }, async () => {
    const readable = ORDER.map((order) => ({
      ...order,
      rateHeaders: 'sent' as const,
      portability: 'profile_and_events' as const,
      // Refused without a failing call is the one end that can't be read.
      rcsOptIn: order.rcsOptIn === 'refused' ? ('ignored' as const) : order.rcsOptIn,
    }));
    await fc.assert(
      fc.asyncProperty(readable, async (order) => {
        const profile = profileIn((await probed(accountNearby(order))).text);
        const played = parseControl(JSON.stringify(sandboxOrder(profile.answers)));
        if (!played.ok) throw new Error(played.message);

        const again = valuesIn((await probed(accountNearby(played.control as ControlOrder))).text);

        expect({ ...again, largestBody: undefined }).toEqual({
          ...valuesIn(JSON.stringify(profile)),
          largestBody: undefined,
        });
        expect(again.largestBody).toMatchObject({ acceptedBytes: expect.any(Number) });
      }),
      { numRuns: 5 },
    );
  });
});

describe('without a yes', () => {
  test('a declined plan makes no call and writes nothing', async () => {
    const served = accountNearby();
    const operator = playedOperator();

    const { code, text, shown } = await probed(served, { operator, options: { yes: false } });

    expect(operator.asked).toEqual(['Is this a test license, and may these calls be made?']);
    expect(shown).toContain('No call was made.');
    expect([code, served.calls.length, text]).toEqual([1, 0, undefined]);
  });

  test('an accepted plan is asked for once', async () => {
    const served = accountNearby();
    const operator = playedOperator({ 'Is this a test license': LEFT });

    const { code } = await probed(served, { operator, options: { yes: false } });

    expect(operator.asked).toHaveLength(1);
    expect(code).toBe(0);
  });

  test('Ctrl-C at the question makes no call', async () => {
    const served = accountNearby();
    const operator = playedOperator({ 'Is this a test license': '\u0003' });

    const { code, text } = await probed(served, { operator, options: { yes: false } });

    expect([code, served.calls.length, text]).toEqual([130, 0, undefined]);
  });

  test('without a terminal and without --yes no call is made', async () => {
    const served = accountNearby();

    const { code, shown } = await probed(served, { options: { yes: false } });

    expect(shown).toContain('--yes');
    expect([code, served.calls.length]).toEqual([2, 0]);
  });

  test('Ctrl-C at a later question says which calls were made', async () => {
    const served = accountNearby();
    const operator = playedOperator({ 'Make call 3,': '\u0003', 'Make call': LEFT });

    const { code, text, shown } = await probed(served, { operator, options: { yes: false, step: true } });

    expect(shown).toContain('interrupted. Bulk calls made: 2');
    expect([code, served.calls.length, text]).toEqual([130, 2, undefined]);
  });

  test('--step asks for each call, and what is declined is unknown', async () => {
    const served = accountNearby({ success: 201 });
    const operator = playedOperator({ 'Make call 1,': LEFT, 'Make call 2,': LEFT });

    const { code, text } = await probed(served, { operator, options: { yes: false, step: true } });

    expect(served.calls).toHaveLength(2);
    expect(code).toBe(0);
    const { success, ...others } = valuesIn(text);
    expect(success).toBe(201);
    const known = Object.entries(others).filter(([, value]) => value !== 'unknown');
    expect(known).toEqual([]);
  });
});

describe('a bad answer gives unknown, and no guess', () => {
  const PAGE = '<html><title>gateway</title></html>';
  const BAD: readonly (readonly [string, ReturnType<Interception>])[] = [
    ['a page with status 200', { status: 200, body: PAGE }],
    ['a page with status 400', { status: 400, body: PAGE }],
    ['500', { status: 500, body: '{"response":{"message":"Error","status":"error"}}' }],
    ['200 that says error', { status: 200, body: '{"response":{"message":"Error","status":"error"}}' }],
    ['a cut connection', 'cut'],
    ['403 from a firewall', { status: 403, body: PAGE }],
  ];

  test.each(BAD)('%s, to every call but the first two', async (_, bad) => {
    await using served = await servedAccount({}, (_call, index) => (index < 2 ? undefined : bad));

    const { code, text } = await probed(served);

    expect(code).toBe(0);
    const { success, portability, ...others } = valuesIn(text);
    expect(success).toBe(200);
    expect(portability).toBe('unknown');
    const known = Object.entries(others).filter(([, value]) => value !== 'unknown');
    // These were read off the first two answers.
    expect(known.map(([name]) => name)).toEqual([]);
  });

  test.each(BAD.filter(([name]) => !/403|400/.test(name)))('%s, to every call', async (_, bad) => {
    const served = accountNearby({}, () => bad);

    const { text } = await probed(served);

    expect(new Set(Object.values(valuesIn(text)))).toEqual(new Set(['unknown']));
  });

  test.each(BAD)('%s, to the call with a null alone: the rest is known', async (_, bad) => {
    const served = accountNearby({}, ({ body }) => (body.includes('"firstName":null') ? bad : undefined));

    const { text } = await probed(served);

    expect(valuesIn(text)).toMatchObject({
      nulls: 'unknown',
      success: 200,
      dateZ: 'refused',
      rcsOptIn: 'accepted',
    });
  });

  test.each(BAD)('%s, from the privacy API: nothing counts as dropped', async (_, bad) => {
    const served = accountNearby({ nulls: 'dropped', invalid: 'drops_record' }, ({ path }) =>
      path.endsWith('opengdpr_requests') ? bad : undefined,
    );

    const { text } = await probed(served);

    expect(valuesIn(text)).toMatchObject({
      nulls: 'unknown',
      invalid: 'unknown',
      dateZ: 'unknown',
      success: 200,
    });
  });

  // Before the third look an export holds these marks alone, or no data at all.
  test.each([
    ['has no record yet', []],
    ['has only the first record', ['first']],
    ['has only the last record', ['last']],
  ])('an export that %s is looked at again', async (_, marks) => {
    let looks = 0;
    const served = accountNearby({ nulls: 'accepted' }, ({ path, body }) => {
      if (!path.endsWith('opengdpr_requests')) return undefined;
      looks += 1;
      return looks <= 2 ? exportOf(body, ...marks) : undefined;
    });

    const { text } = await probed(served);

    expect(valuesIn(text)).toMatchObject({ nulls: 'accepted', portability: 'profile' });
  });

  test('a record that is overtaken by the last one does not count as dropped', async () => {
    let looks = 0;
    const served = accountNearby({ nulls: 'accepted' }, ({ path, body }) => {
      if (!path.endsWith('opengdpr_requests')) return undefined;
      looks += 1;
      return looks === 1 ? exportOf(body, 'first', 'last') : undefined;
    });

    const { text } = await probed(served);

    expect(valuesIn(text)).toMatchObject({ nulls: 'accepted' });
  });
});

/** An export of the user of this request, with these marks. */
function exportOf(request: string, ...names: readonly string[]) {
  const [, token] = /relay-probe-([\da-f]{8})/.exec(request) ?? [];
  const data = names.map((name) => `rp.${token}.${name}.`);
  return { status: 200, body: JSON.stringify({ response: { status: 'success', data } }) };
}

describe('it stops', () => {
  test.each([
    [401, 'the key is wrong'],
    [403, 'the key is wrong'],
    [404, 'the license code or the region is wrong'],
    [400, 'compare the license code'],
    [307, 'the license code or the region is wrong'],
  ])('at %d of the first call, with the remedy', async (status, remedy) => {
    await using served = await servedAccount({}, () => ({ status, body: '{"response":{"status":"error"}}' }));

    const { code, text, shown } = await probed(served);

    expect(shown).toContain(remedy);
    expect([code, served.calls.length, text]).toEqual([1, 1, undefined]);
  });

  test('at a key that is revoked meanwhile', async () => {
    const served = accountNearby({}, (_, index) =>
      index < 5 ? undefined : { status: 401, body: '{"response":{"status":"error"}}' },
    );

    const { code, text, shown } = await probed(served);

    expect(shown).toContain('Bulk calls made: 6');
    expect([code, served.calls.length, text]).toEqual([1, 6, undefined]);
  });

  test('at Ctrl-C between two calls, and says what it has left behind', async () => {
    const ending = new AbortController();
    const served = accountNearby({}, (_, index) => {
      if (index === 3) ending.abort();
      return undefined;
    });

    const { code, text, shown } = await probed(served, { signal: ending.signal });

    expect(shown).toMatch(/interrupted\. Bulk calls made: 4, for the user relay-probe-[\da-f]{8}/);
    expect([code, served.calls.length, text]).toEqual([130, 4, undefined]);
  });

  test('at Ctrl-C while it reads back', async () => {
    const ending = new AbortController();
    const served = accountNearby({}, ({ path }) => {
      if (path.endsWith('opengdpr_requests')) ending.abort();
      return undefined;
    });

    const { code, text } = await probed(served, { signal: ending.signal });

    expect([code, text]).toEqual([130, undefined]);
  });

  test.each([
    [{ license: undefined }, {}, '--license must be given'],
    [{}, { WEBENGAGE_API_KEY: '' }, 'WEBENGAGE_API_KEY must not be empty'],
    [{}, { WEBENGAGE_HOST: 'https://evil.example.com' }, 'WEBENGAGE_HOST must be'],
  ])('before any call at %j, %j', async (options, env, message) => {
    const served = accountNearby();

    const { code, shown } = await probed(served, {
      options: options as Partial<ProbeOptions>,
      env: { WEBENGAGE_HOST: served.host, WEBENGAGE_API_KEY: FAKE_KEY, ...env },
    });

    expect(shown).toContain(message);
    expect(code).not.toBe(0);
    expect(served.calls).toHaveLength(0);
  });
});

test('over the limit, it waits for the next minute and makes the same call again', async () => {
  const waits: number[] = [];
  const served = accountNearby({}, (_, index) =>
    index === 8 ? { status: 429, body: '{"response":{"status":"error"}}' } : undefined,
  );

  const { code, text, shown } = await probed(served, {
    wait: async (ms) => {
      waits.push(ms);
    },
  });

  expect(code).toBe(0);
  expect(shown).toContain('over the account');
  expect(served.calls[8]).toEqual(served.calls[9]);
  expect(Object.values(valuesIn(text)).filter((value) => value === 'unknown')).toHaveLength(1);
  // Two calls a second at most.
  expect(waits.filter((ms) => ms >= 500).length).toBeGreaterThanOrEqual(served.account.arrivals.length);
});

test('if the file can’t be written, the answers are shown all the same', async () => {
  const served = accountNearby();

  const { code, shown } = await probed(served, { options: { out: join(dir, 'missing', 'profile.json') } });

  expect(code).toBe(1);
  expect(shown).toContain('ENOENT');
  expect(shown).toMatch(/largestBody +over 1048576 bytes/);
});

test('an account with another limit gets the setting to make', async () => {
  const served = accountNearby({ requestsPerMinute: 1_200 });

  const { shown, out } = await probed(served);

  expect(shown).toContain('set REQUESTS_PER_MINUTE');
  expect(shown).toContain(`dev --profile ${out}`);
});
