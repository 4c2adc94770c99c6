import { expect, test } from 'vitest';
import { writeUp } from '../../../src/tracker/engine/assign-visitor.ts';
import { type Made, makeEvent, makeUser, type Profile } from '../../../src/tracker/record/make-record.ts';
import { anonymous } from '../../../src/tracker/record/visitor.ts';

const AT = Date.parse('2026-11-23T12:00:00Z');
const track = (name: string): Made => makeEvent(name, {}, AT, true);
const identify = (userId: string, profile: Profile = {}): Made => makeUser(userId, profile, AT, true);

function records(made: readonly (Made | { readonly reset: string })[], skip = true) {
  let seq = 0;
  const calls = made.map((call) => ('reset' in call ? call : { ...call, id: () => `s.${++seq}` }));
  const { entries, identity } = writeUp(anonymous('the-device', 'a1'), calls, skip);
  return { records: entries.map(({ record }) => record), identity };
}

test('each call belongs to the visitor that the calls before it left', () => {
  const { records: made } = records([
    track('One'),
    identify('johndoe'),
    track('Two'),
    { reset: 'a2' },
    track('Three'),
  ]);

  expect(made).toMatchObject([
    { id: 's.1', eventName: 'One', anonymousId: 'a1' },
    { id: 's.2', kind: 'user', userId: 'johndoe' },
    { id: 's.3', eventName: 'Two', userId: 'johndoe' },
    { id: 's.4', eventName: 'Three', anonymousId: 'a2' },
  ]);
  expect(made[2]).not.toHaveProperty('anonymousId');
});

test('an identify that says nothing new makes no record, and leaves no gap in the numbers', () => {
  const john = { email: 'j@example.com', attributes: { plan: 'Premium', tags: ['a'] } };

  const { records: made } = records([
    identify('johndoe', john),
    identify('johndoe', john),
    identify('johndoe', { attributes: { plan: 'Premium' } }),
    identify('johndoe'),
    track('One'),
  ]);

  expect(made.map(({ id, kind }) => [id, kind])).toEqual([
    ['s.1', 'user'],
    ['s.2', 'event'],
  ]);
});

test('a field that is undefined takes nothing back; an attribute may have the name of a field', () => {
  const none = undefined as unknown as string;

  const { records: made } = records([
    identify('johndoe', { email: 'j@example.com', attributes: { email: 'x' } }),
    identify('johndoe', { email: none }),
    identify('johndoe', { email: 'j@example.com' }),
    identify('johndoe', { email: 'x' }),
  ]);

  expect(made.map(({ id }) => id)).toEqual(['s.1', 's.2']);
});

test('an identify that changes one thing, or another user’s, makes a record', () => {
  const { records: made } = records([
    identify('johndoe', { attributes: { plan: 'Free' } }),
    identify('johndoe', { attributes: { plan: 'Premium' } }),
    identify('johndoe', { attributes: { plan: 'Free' } }),
    identify('janedoe', { attributes: { plan: 'Free' } }),
    identify('johndoe', { attributes: { plan: 'Free' } }),
  ]);

  expect(made).toHaveLength(5);
});

test('by option every identify makes a record', () => {
  expect(records([identify('johndoe'), identify('johndoe')], false).records).toHaveLength(2);
});
