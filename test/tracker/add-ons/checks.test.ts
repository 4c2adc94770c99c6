import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRecord } from '../../../src/contract/read-record.ts';
import { type ChecksOptions, checks } from '../../../src/tracker/add-ons/checks.ts';
import { resolveOptions } from '../../../src/tracker/options.ts';
import type { TrackerEvents } from '../../../src/tracker/page/events.ts';
import { startTracker } from '../../../src/tracker/tracker.ts';
import { fakePlatform, scriptedRelay } from '../../fakes/platform.ts';

function checkedTracker(options?: ChecksOptions) {
  const { platform, relay } = fakePlatform();
  const tracker = startTracker(resolveOptions({ endpoint: 'https://t.example.com' }), platform, [
    checks(options),
  ]);
  const events: TrackerEvents['repaired'][] = [];
  tracker.on('repaired', (what) => events.push(what));
  return { tracker, events, relay, sent: () => relay.requests.flatMap(({ records }) => records) };
}

describe('a call that the relay would repair', () => {
  test('is repaired and reported at the call', async () => {
    const { tracker, events, sent } = checkedTracker();
    void tracker.track('Clicked', { we_a: 1, ['n'.repeat(50)]: 1, Note: 'x'.repeat(1_200), Price: 1 });
    expect(events).toEqual([
      { record: 'Clicked', path: 'eventData.Note', rule: expect.stringContaining('999'), done: 'cut' },
      {
        record: 'Clicked',
        path: 'eventData.we_a',
        rule: 'has a name that must not start with we_',
        done: 'left_out',
      },
      {
        record: 'Clicked',
        path: expect.stringContaining('eventData.nnn'),
        rule: expect.any(String),
        done: 'left_out',
      },
    ]);
    await tracker.flush();

    expect(sent()).toMatchObject([{ eventData: { Note: 'x'.repeat(999), Price: 1 } }]);
  });

  test('with a profile loses its bad fields alone, and signs the user in', async () => {
    const { tracker, events, sent } = checkedTracker();
    const profile = {
      phone: '98765',
      gender: 'Female',
      birthDate: '1990-05-17',
      nickname: 'Ada',
      email: 'a@b.c',
    };
    await tracker.identify('ada', { ...profile, attributes: { we_x: 1, Plan: 'Gold' } } as object);
    await tracker.flush();

    expect(events.map(({ path, done }) => [path, done])).toEqual([
      ['phone', 'left_out'],
      ['gender', 'left_out'],
      ['nickname', 'left_out'],
      ['attributes.we_x', 'left_out'],
    ]);
    expect(sent()).toEqual([
      {
        kind: 'user',
        id: expect.any(String),
        userId: 'ada',
        birthDate: '1990-05-17',
        email: 'a@b.c',
        attributes: { Plan: 'Gold' },
        age: 0,
      },
    ]);
  });

  test('leaves the relay nothing to repair, whatever it contains', async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom('phone', 'email', 'gender', 'attributes', 'emailOptIn', 'we_a'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, value),
        fc.dictionary(name, value),
        async (profile, attributes) => {
          const { tracker, sent } = checkedTracker();
          await tracker.identify('ada', { ...profile, attributes } as object);
          await tracker.track('Clicked', profile as object);
          await tracker.flush();

          for (const record of sent())
            expect(readRecord(record, true)).toMatchObject({ ok: true, repairs: [] });
          expect(sent()).toHaveLength(2);
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);

  test('is written unchanged even if the page has given arrays another JSON', async () => {
    const { tracker, sent } = checkedTracker();
    Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'spoilt', configurable: true });
    await tracker.track('Clicked', { we_a: 1, Sizes: [1, 2] });
    Reflect.deleteProperty(Array.prototype, 'toJSON');
    await tracker.flush();

    expect(sent()).toMatchObject([{ eventData: { Sizes: [1, 2] } }]);
  });
});

describe('a call that the relay would refuse', () => {
  test.each([
    ['eventName', 'we_opened', 'must not start with we_'],
    ['eventName', 'app_installed', 'must not be a system event of WebEngage'],
    ['eventName', 'n'.repeat(50), 'must be well-formed text of 1 to 49 characters'],
  ])('is reported at once and left to the relay: %s %s', async (path, name, rule) => {
    const { tracker, events, sent } = checkedTracker();
    await tracker.track(name);
    await tracker.flush();

    expect(events).toEqual([{ record: name, path, rule, done: 'kept' }]);
    expect(sent()).toMatchObject([{ eventName: name }]);
  });

  test('for its user id is reported at once', async () => {
    const { tracker, events } = checkedTracker();
    await tracker.identify('ada\ud800');

    expect(events).toMatchObject([{ record: 'identify', path: 'userId', done: 'kept' }]);
  });
});

describe('with strict', () => {
  test('a call rejects with all its faults, reports nothing and makes no record', async () => {
    const { tracker, events, sent } = checkedTracker({ strict: true });
    const call = tracker.track('we_1', { we_a: 1, Secret: () => {}, Price: 1 });

    await expect(call).rejects.toMatchObject({
      name: 'RecordError',
      issues: [
        { path: 'eventData.Secret', message: expect.any(String) },
        { path: 'eventName', message: 'must not start with we_' },
        { path: 'eventData.we_a', message: 'has a name that must not start with we_' },
      ],
    });
    await tracker.flush();
    expect(events).toEqual([]);
    expect(sent()).toEqual([]);
  });

  test('an identify that rejects signs nobody in', async () => {
    const { tracker, sent } = checkedTracker({ strict: true });
    await expect(tracker.identify('ada', { phone: '98765' })).rejects.toThrow('phone must be E.164');
    await tracker.track('Clicked');
    await tracker.flush();

    expect(sent()).toHaveLength(1);
    expect(sent()[0]).not.toHaveProperty('userId');
  });

  test('a good call succeeds, and a changed type is reported without a rejection', async () => {
    const { tracker, events, sent } = checkedTracker({ strict: true });
    await tracker.track('Clicked', { Price: 1 });
    await tracker.track('Clicked', { Price: '1' });
    await tracker.flush();

    expect(events).toEqual([
      {
        record: 'Clicked',
        path: 'eventData.Price',
        rule: 'was a number before, and is a string now',
        done: 'kept',
      },
    ]);
    expect(sent()).toHaveLength(2);
  });

  test('must be true or false', () => {
    expect(() => checks({ strict: 'yes' } as object)).toThrow('strict must be true or false, not yes');
  });
});

describe('an attribute whose type changes', () => {
  test('is reported with each value that differs from the first, for an event by its name and for users', async () => {
    const { tracker, events } = checkedTracker();
    await tracker.track('Clicked', { Price: 1, At: '2026-11-23T12:00:00+0000' });
    await tracker.track('Bought', { Price: '1' });
    await tracker.track('Clicked', { Price: '1', At: 'noon' });
    await tracker.identify('ada', { attributes: { Plan: 'Gold' } });
    await tracker.identify('ada', { attributes: { Plan: ['Gold'] } });

    expect(events.map(({ record, path, rule }) => `${record}: ${path} ${rule}`)).toEqual([
      'Clicked: eventData.Price was a number before, and is a string now',
      'Clicked: eventData.At was a date before, and is a string now',
      'identify: attributes.Plan was a string before, and is a array now',
    ]);
  });

  test('is tracked for at most a thousand names', async () => {
    const { tracker, events } = checkedTracker();
    for (let n = 0; n < 1_100; n++) void tracker.track('Clicked', { [`n${n}`]: 1 });
    await tracker.track('Clicked', { n999: '', n1000: '' });

    expect(events.map(({ path }) => path)).toEqual(['eventData.n999']);
  });
});

test('without checks a call is sent unchanged, for the relay to repair', async () => {
  const relay = scriptedRelay();
  const { platform } = fakePlatform({ relay });
  const tracker = startTracker(resolveOptions({ endpoint: 'https://t.example.com' }), platform);
  await tracker.track('we_1', { we_a: 1 });
  await tracker.flush();

  expect(relay.requests[0]?.records).toMatchObject([{ eventName: 'we_1', eventData: { we_a: 1 } }]);
});
