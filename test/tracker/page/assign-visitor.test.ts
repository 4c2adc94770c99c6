import { describe, expect, test } from 'vitest';
import { assignVisitor, type PageState } from '../../../src/tracker/page/assign-visitor.ts';
import type { Call } from '../../../src/tracker/record/call.ts';
import { captureEvent, captureUser } from '../../../src/tracker/record/capture.ts';
import { NO_VISITOR, type Visitor } from '../../../src/tracker/record/visitor.ts';

const AT = Date.parse('2026-11-23T12:00:00Z');
const KNOWN: Visitor = { choices: 0, device: 'the-device', anonymousId: 'a1', changes: 1, applied: {} };
const PAGE: PageState = {
  choices: 0,
  fresh: (choices) => ({ choices, device: `device ${choices}`, anonymousId: `anonymous ${choices}` }),
  skipRepeatedIdentify: true,
  madeAt: ({ wall }) => wall,
};

type Made = Pick<Call, 'kind' | 'json'> & Partial<Call>;

const track = (name: string): Made => captureEvent(name, {}, () => {});
const identify = (userId: string, profile = {}): Made => captureUser(userId, profile, () => {});
const describeVisitor = (profile: object): Made => captureUser(undefined, profile, () => {});
const reset = (anonymousId: string): Made => ({ kind: 'reset', json: '', anonymousId });

const numbered = (made: readonly Made[]): Call[] =>
  made.map((call, index) => ({ id: `s.${index + 1}`, wall: AT, mono: 0, ...call }));

const assign = (made: readonly Made[], page: Partial<PageState> = {}, kept = KNOWN) =>
  assignVisitor(kept, numbered(made), { ...PAGE, ...page });

test('each call belongs to the visitor after the calls before it', () => {
  const { entries, visitor } = assign([
    track('One'),
    identify('johndoe'),
    track('Two'),
    reset('a2'),
    track('Three'),
    describeVisitor({ email: 'x' }),
  ]);

  expect(entries).toMatchObject([
    { id: 's.1', json: '"eventName":"One"', anonymousId: 'a1' },
    { id: 's.2', kind: 'user', userId: 'johndoe' },
    { id: 's.3', json: '"eventName":"Two"', userId: 'johndoe' },
    { id: 's.5', json: '"eventName":"Three"', anonymousId: 'a2' },
    { id: 's.6', kind: 'user', anonymousId: 'a2' },
  ]);
  expect(entries[2]?.anonymousId).toBeUndefined();
  expect(visitor).toMatchObject({ device: 'the-device', userId: undefined, anonymousId: 'a2' });
});

describe('a call that arrives twice', () => {
  test('counts once', () => {
    const first = assign([identify('johndoe'), reset('a2'), track('One')]);

    const again = assignVisitor(
      first.visitor,
      numbered([identify('johndoe'), reset('a2'), track('One'), track('Two')]),
      PAGE,
    );

    expect(again.entries).toMatchObject([{ id: 's.4', anonymousId: 'a2' }]);
  });

  test('of a page loaded long ago counts again, because only the last 20 are remembered', () => {
    let { visitor } = assign([track('One')]);
    for (let page = 0; page < 20; page++)
      ({ visitor } = assignVisitor(
        visitor,
        [{ ...numbered([track('x')])[0], id: `p${page}.1` } as Call],
        PAGE,
      ));

    const sessions = Object.keys(visitor.applied);
    expect(sessions).toHaveLength(20);
    expect(sessions).not.toContain('s');
  });
});

describe('an identify', () => {
  test('without news makes no record', () => {
    const john = { email: 'j@example.com', attributes: { plan: 'Premium', tags: ['a'] } };

    const { entries } = assign([
      identify('johndoe', john),
      identify('johndoe', john),
      identify('johndoe', { email: 'j@example.com' }),
      identify('johndoe'),
      track('One'),
    ]);

    expect(entries.map(({ id, kind }) => [id, kind])).toEqual([
      ['s.1', 'user'],
      ['s.5', 'event'],
    ]);
  });

  test('that changes one value, or belongs to another user, makes a record', () => {
    const { entries } = assign([
      identify('johndoe', { attributes: { plan: 'Free' } }),
      identify('johndoe', { attributes: { plan: 'Premium' } }),
      identify('johndoe', { attributes: { plan: 'Free' } }),
      identify('janedoe', { attributes: { plan: 'Free' } }),
      identify('johndoe', { attributes: { plan: 'Free' } }),
    ]);

    expect(entries).toHaveLength(5);
  });

  test('that repeats what an earlier page has reported makes no record', () => {
    const john = identify('johndoe', { email: 'j@example.com' });
    const { visitor } = assign([john]);

    const again = assignVisitor(visitor, numbered([john, john]), PAGE);
    const afterwards = assignVisitor(visitor, numbered([john, reset('a2'), john]), PAGE);

    expect(again.entries).toEqual([]);
    expect(again.visitor.reported).toEqual(visitor.reported);
    expect(afterwards.entries).toMatchObject([{ id: 's.3', userId: 'johndoe' }]);
  });

  test('makes a record each time if the option says so', () => {
    const { entries } = assign([identify('johndoe'), identify('johndoe')], { skipRepeatedIdentify: false });

    expect(entries).toHaveLength(2);
  });
});

describe('a choice', () => {
  test('to opt out deletes the ids, and makes no record', () => {
    const { entries, visitor } = assign(
      [track('One')],
      { choices: 1 },
      { ...KNOWN, userId: 'johndoe', reported: { email: '"x"' } },
    );

    expect(entries).toEqual([]);
    expect(visitor).toMatchObject({ choices: 1, device: '', anonymousId: '', applied: {} });
    expect([visitor.userId, visitor.reported]).toEqual([undefined, undefined]);
  });

  test('to opt in again makes another visitor, and drops earlier calls', () => {
    const early = { ...track('Early'), choices: 0 };

    const { entries, visitor } = assign([early, track('Late')], { choices: 2 });

    expect(visitor).toMatchObject({ choices: 2, device: 'device 2', anonymousId: 'anonymous 2' });
    expect(entries).toMatchObject([{ json: '"eventName":"Late"', anonymousId: 'anonymous 2' }]);
  });
});

describe('a call stored by an earlier page', () => {
  test('for another device makes no record, because that page may have sent it', () => {
    const foreign = { ...track('One'), device: 'another' };
    const own = { ...track('Two'), device: 'the-device' };

    expect(assign([foreign, own]).entries).toMatchObject([{ json: '"eventName":"Two"' }]);
  });

  test('as a record keeps its visitor, and changes no other', () => {
    const made = { ...identify('johndoe'), at: AT - 1, device: 'the-device' };

    const { entries, visitor } = assign([made, track('Two')]);

    expect(entries).toMatchObject([
      { userId: 'johndoe', at: AT - 1 },
      { anonymousId: 'a1', at: AT },
    ]);
    expect(visitor.userId).toBeUndefined();
  });
});

test('a new browser gets ids, the same ones each time', () => {
  const [one, other] = [assign([track('One')], {}, NO_VISITOR), assign([track('One')], {}, NO_VISITOR)];

  expect(one.visitor).toMatchObject({ device: 'device 0', anonymousId: 'anonymous 0' });
  expect(other.visitor.device).toBe(one.visitor.device);
});
