import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { identifyFields } from '../../src/contract/user.ts';
import { type SegmentLike, type SegmentTracker, segmentLike } from '../../src/segment/segment.ts';
import { profileOf } from '../../src/segment/traits.ts';
import type { Tracker } from '../../src/tracker/index.ts';
import { makeUser } from '../../src/tracker/record/make-record.ts';

function begin(outcome: () => Promise<void> = async () => {}) {
  const calls: unknown[][] = [];
  const keep =
    (method: string) =>
    (...call: unknown[]) => {
      calls.push([method, ...call]);
      return outcome();
    };
  const identify = keep('identify');
  const tracker: SegmentTracker = {
    // As any tracker does.
    identify: (userId, profile) =>
      userId ? identify(userId, profile) : Promise.reject(new Error('userId is none')),
    track: keep('track'),
    reset: keep('reset'),
  };
  return { analytics: segmentLike(tracker), calls };
}

const warned: string[] = [];

beforeEach(() => {
  warned.length = 0;
  vi.spyOn(console, 'warn').mockImplementation((words) => void warned.push(words));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('identify', () => {
  test.each([
    ['johndoe', 'johndoe'],
    [1337, '1337'],
  ])('of %s is of who has this id', async (id, userId) => {
    const { analytics, calls } = begin();

    await analytics.identify(id, { email: 'john@doe.com' });

    expect(calls).toEqual([['identify', userId, { email: 'john@doe.com', attributes: {} }]]);
    expect(analytics.user().id()).toBe(userId);
  });

  test('of a callback alone is of nobody new', async () => {
    const { analytics, calls } = begin();
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    await analytics.identify('johndoe');

    await (analytics.identify as (...call: unknown[]) => Promise<unknown>)(done);

    expect(calls[1]).toEqual(['identify', 'johndoe', { attributes: {} }]);
    expect(isDone).toBe(true);
  });

  test('without an id is of who was identified before, until they are logged out', async () => {
    const { analytics, calls } = begin();
    await analytics.identify('johndoe');

    await analytics.identify({ email: 'john@doe.com' });
    await analytics.identify(null, { firstName: 'John' });
    analytics.reset();

    expect(calls.slice(1)).toEqual([
      ['identify', 'johndoe', { email: 'john@doe.com', attributes: {} }],
      ['identify', 'johndoe', { firstName: 'John', attributes: {} }],
      ['reset'],
    ]);
    expect(analytics.user().id()).toBeNull();
    await expect(analytics.identify({ email: 'john@doe.com' })).rejects.toThrow('userId');
  });

  test('tells each trait by the field that WebEngage has for it, and every other as an attribute', async () => {
    const { analytics, calls } = begin();

    await analytics.identify('johndoe', {
      firstName: 'John',
      lastName: 'Doe',
      phone: '+55 (11) 5525-6325',
      gender: 'Male',
      emailOptIn: false,
      birthday: '1986-08-19T00:00:00.000Z',
      company: { name: 'Alphabet Inc.', employees: 9 },
      address: { city: 'Berlin' },
      plan: 'Premium',
      age: 31,
    });

    expect(calls[0]?.[2]).toEqual({
      firstName: 'John',
      lastName: 'Doe',
      phone: '+551155256325',
      gender: 'male',
      emailOptIn: false,
      birthDate: new Date(1986, 7, 19),
      company: 'Alphabet Inc.',
      attributes: {
        company: { name: 'Alphabet Inc.', employees: 9 },
        address: { city: 'Berlin' },
        plan: 'Premium',
        age: 31,
      },
    });
  });

  test('a trait that does not fit its field is an attribute, and costs nothing else', async () => {
    const { analytics, calls } = begin();
    const odd = {
      firstName: 1,
      phone: '030 1234',
      gender: 'm',
      birthday: 'unknown',
      company: 7,
      emailOptIn: 'yes',
      constructor: 'x',
      lastName: 'x'.repeat(1_000),
      email: 'half a pair: \ud800',
      phones: '+55 (11) 5525-6325',
    };

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test.each([new Date(10_000, 0, 1), new Date(-1e14), new Date(Number.NaN)])(
    'a birthday beyond the years that WebEngage writes is an attribute: %s',
    async (birthday) => {
      const { analytics, calls } = begin();

      await analytics.identify('johndoe', { birthday });

      expect(calls[0]?.[2]).toEqual({ attributes: { birthday } });
    },
  );

  test('takes a birthday that is a date, and the day of the first hour of 1970', async () => {
    const { analytics, calls } = begin();
    const birthday = new Date(0);

    await analytics.identify('johndoe', { birthday });

    expect(calls[0]?.[2]).toEqual({ birthDate: birthday, attributes: {} });
  });

  test.each(['America/New_York', 'Asia/Tokyo'])(
    'a birthday is that day by the clock of a visitor in %s',
    (zone) => {
      vi.stubEnv('TZ', zone);

      const { birthDate } = profileOf({ birthday: '1986-08-19' }) as { readonly birthDate: Date };
      const told = [birthDate.getTimezoneOffset() === 0, birthDate.getDate(), birthDate.getHours()];

      expect(told).toEqual([false, 19, 0]);
    },
  );

  test.each([
    { phone: '+049 30 123456' },
    { phone: '+49 30 12345678901234' },
    { phone: '+49 30 123456 ext. 7' },
    { gender: 'females' },
    { gender: 'not male' },
  ])('%j is all but what fits', async (odd) => {
    const { analytics, calls } = begin();

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test('a value that can’t be made text is an attribute too', async () => {
    const { analytics, calls } = begin();
    const odd = Object.fromEntries(
      Object.keys(identifyFields)
        .concat('birthday')
        .map((trait) => [trait, Object.create(null)]),
    );

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test('throws nothing at what can’t be read', async () => {
    const { analytics } = begin();
    const unreadable = {
      get email() {
        throw new TypeError();
      },
    };

    await expect(analytics.identify('johndoe', unreadable)).rejects.toThrow(TypeError);
  });

  test('an object that has a name is that name to no field but a company’s', async () => {
    const { analytics, calls } = begin();
    const odd = {
      email: { name: 'john@doe.com' },
      emailOptIn: { name: true },
      company: { name: '', employees: 9 },
    };

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test('whatever the traits are, the tracker refuses none of them, and each is a field or an attribute', () => {
    const trait = fc.constantFrom(
      ...Object.keys(identifyFields),
      'birthday',
      'name',
      'constructor',
      '__proto__x',
    );
    const value = fc.oneof(
      fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true }),
      fc.constantFrom(
        'Male',
        '+49 (30) 123-456',
        '+049 30 123456',
        '+4930123456789012',
        'females',
        '1986-08-19T00:00:00.000Z',
        'x'.repeat(999),
        '😀'.repeat(600),
      ),
      fc.string({ unit: 'binary', maxLength: 1_200 }),
      fc.record({ name: fc.anything() }),
      fc.boolean(),
    );

    fc.assert(
      fc.property(fc.dictionary(trait, value), (traits) => {
        const { attributes, ...profile } = profileOf(traits) as { readonly attributes: object };
        expect(() => makeUser('johndoe', profile, 0, false)).not.toThrow();
        for (const trait of Object.keys(traits))
          expect(trait in attributes || (trait === 'birthday' ? 'birthDate' : trait) in profile).toBe(true);
      }),
    );
  });
});

test('track tells the properties, and nothing of the options', async () => {
  const { analytics, calls } = begin();

  await analytics.track('Bought', { Price: 1 }, { integrations: { All: false } });
  await analytics.track('Bought', null, { integrations: { All: false } });
  await analytics.track('Bought');

  expect(calls).toEqual([
    ['track', 'Bought', { Price: 1 }],
    ['track', 'Bought', {}],
    ['track', 'Bought', {}],
  ]);
});

test.each<[Parameters<SegmentLike['page']>, object]>([
  [[], {}],
  [['Cart'], { Name: 'Cart' }],
  [['Shop', 'Cart'], { Category: 'Shop', Name: 'Cart' }],
  [['Shop', 'Cart', { Items: 2 }, { integrations: {} }], { Category: 'Shop', Name: 'Cart', Items: 2 }],
  [['Cart', { Items: 2 }], { Name: 'Cart', Items: 2 }],
  [['Cart', null, { integrations: {} }], { Name: 'Cart' }],
  [[null, 'Cart', { Items: 2 }], { Name: 'Cart', Items: 2 }],
  [[undefined, undefined, { Items: 2 }], { Items: 2 }],
  [[null, null, { Items: 2 }], { Items: 2 }],
  [[{ Items: 2 }], { Items: 2 }],
  [['Cart', undefined, { Items: 2 }], { Name: 'Cart', Items: 2 }],
  [[() => {}], {}],
])('page(%j) is a page view with %j', async (call, properties) => {
  (window as unknown as { happyDOM: { setURL(url: string): void } }).happyDOM.setURL(
    'https://shop.example.com/cart?token=x#y',
  );
  document.title = 'The cart';
  const { analytics, calls } = begin();

  await analytics.page(...call);

  const at = { URL: 'https://shop.example.com/cart', Path: '/cart', Title: 'The cart' };
  expect(calls).toEqual([['track', 'Page Viewed', { ...at, ...properties }]]);
});

describe('a callback', () => {
  test.each([
    ['identify', ['johndoe']],
    ['identify', ['johndoe', { plan: 'Premium' }, null]],
    ['track', ['Bought']],
    ['track', ['Bought', {}, {}]],
    ['page', []],
    ['page', ['Cart', {}]],
    ['group', ['acme']],
  ] as const)('of %s(%j) is called once it has ended', async (method, call) => {
    const { analytics } = begin();
    const done = vi.fn();

    const end = (analytics[method] as (...given: unknown[]) => Promise<unknown>)(...call, done);
    expect(done).not.toHaveBeenCalled();
    await end.catch(() => {});

    expect(done.mock.calls).toEqual([[]]);
  });

  test('is called though the call is refused, of which its promise tells', async () => {
    const { analytics } = begin(() => Promise.reject(new Error('refused')));
    const done = vi.fn();

    await expect(analytics.track('Bought', done)).rejects.toThrow('refused');

    expect(done).toHaveBeenCalledOnce();
  });
});

test('what a tracker refuses is told in the console, once, and is no error of the page', async () => {
  const reported: unknown[] = [];
  const report = (error: unknown) => reported.push(error);
  process.on('unhandledRejection', report);
  const { analytics } = begin(() => Promise.reject(new Error('refused')));

  void analytics.track('we_bought');
  void analytics.page();
  await new Promise((resolve) => setTimeout(resolve));
  process.off('unhandledRejection', report);

  expect([warned, reported]).toEqual([['refused'], []]);
});

test('ready calls, since nothing has to load', async () => {
  const done = vi.fn();

  await begin().analytics.ready(done);

  expect(done).toHaveBeenCalledOnce();
});

test.each([
  ['alias', 'WebEngage has no alias'],
  ['group', 'WebEngage has no group'],
  ['identify', 'userId is none'],
] as const)(
  'what is not possible, as %s, is told in the console once, and is no error of the page',
  async (method, words) => {
    const reported: unknown[] = [];
    const report = (error: unknown) => reported.push(error);
    process.on('unhandledRejection', report);
    const { analytics, calls } = begin();

    void analytics[method]();
    await expect(analytics[method]()).rejects.toThrow(words);
    await new Promise((resolve) => setTimeout(resolve));
    process.off('unhandledRejection', report);

    expect(warned).toEqual([words]);
    expect([reported, calls]).toEqual([[], []]);
  },
);

test('any tracker will do, whatever its events are', () => {
  type ShopEvents = { Bought: { Price: number } };

  expectTypeOf<Tracker<ShopEvents>>().toExtend<SegmentTracker>();
  expectTypeOf<Tracker>().toExtend<SegmentTracker>();
});
