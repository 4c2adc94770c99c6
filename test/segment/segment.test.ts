import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { identifyFields } from '../../src/contract/user.ts';
import { type SegmentLike, type SegmentTracker, segmentLike } from '../../src/segment/segment.ts';
import { profileOf } from '../../src/segment/traits.ts';
import type { Tracker } from '../../src/tracker/index.ts';
import { copyObject } from '../../src/tracker/record/safe-copy.ts';
import { onSpoiltPage, SPOILT_PAGES } from '../fakes/browser/spoilt-page.ts';

function begin(outcome: () => Promise<void> = async () => {}) {
  const calls: unknown[][] = [];
  const keep =
    (method: string) =>
    (...call: unknown[]) => {
      // By index: a page may have replaced `push`.
      calls[calls.length] = [method, ...call];
      return outcome();
    };
  const identify = keep('identify');
  const tracker: SegmentTracker = {
    identify,
    track: keep('track'),
    reset: keep('reset'),
  };
  return { analytics: segmentLike(tracker), calls };
}

const rules: Readonly<Record<string, (value: unknown) => string | undefined>> = identifyFields;

/** What WebEngage would refuse about a field, once the tracker has copied it: text cut, dates written. */
function refusal(field: string, given: unknown): string | undefined {
  const [[, json] = ['', 'null']] = copyObject({ given }, '', () => {}).fields;
  return rules[field]?.(JSON.parse(json));
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
  ])('with %s uses that id', async (id, userId) => {
    const { analytics, calls } = begin();

    await analytics.identify(id, { email: 'john@doe.com' });

    expect(calls).toEqual([['identify', userId, { email: 'john@doe.com', attributes: {} }]]);
    expect(analytics.user().id()).toBe(userId);
  });

  test('without an id, before there is one, describes the anonymous visitor', async () => {
    const { analytics, calls } = begin();

    await analytics.identify({ email: 'john@doe.com', plan: 'Free' });
    await analytics.identify(null, { plan: 'Premium' });
    await analytics.identify(undefined, { plan: 'Premium' });
    await analytics.identify();

    expect(calls).toEqual([
      ['identify', { email: 'john@doe.com', attributes: { plan: 'Free' } }],
      ['identify', { attributes: { plan: 'Premium' } }],
      ['identify', { attributes: { plan: 'Premium' } }],
      ['identify', { attributes: {} }],
    ]);
    expect(analytics.user().id()).toBeNull();
  });

  test('after a logout describes the anonymous visitor again', async () => {
    const { analytics, calls } = begin();
    await analytics.identify('johndoe');
    analytics.reset();

    await analytics.identify({ plan: 'Free' });

    expect(calls.at(-1)).toEqual(['identify', { attributes: { plan: 'Free' } }]);
  });

  test('with only a callback changes no visitor', async () => {
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

  test('without an id describes the last identified user, until the logout', async () => {
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
  });

  test('puts each trait into WebEngage’s field for it, and every other into an attribute', async () => {
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

  test('a trait that does not fit its field becomes an attribute, and costs nothing else', async () => {
    const { analytics, calls } = begin();
    const odd = {
      firstName: 1,
      phone: '030 1234',
      gender: 'm',
      birthday: 'unknown',
      company: 7,
      emailOptIn: 'yes',
      constructor: 'x',
      email: 'half a pair: \ud800',
      phones: '+55 (11) 5525-6325',
    };

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test.each([new Date(10_000, 0, 1), new Date(-1e14), new Date(Number.NaN)])(
    'a birthday beyond the years that WebEngage writes becomes an attribute: %s',
    async (birthday) => {
      const { analytics, calls } = begin();

      await analytics.identify('johndoe', { birthday });

      expect(calls[0]?.[2]).toEqual({ attributes: { birthday } });
    },
  );

  test('accepts a birthday that is a date, and the day of the first hour of 1970', async () => {
    const { analytics, calls } = begin();
    const birthday = new Date(0);

    await analytics.identify('johndoe', { birthday });

    expect(calls[0]?.[2]).toEqual({ birthDate: birthday, attributes: {} });
  });

  test.each(['America/New_York', 'Asia/Tokyo'])(
    'a birthday is that day on the clock of a visitor in %s',
    (zone) => {
      vi.stubEnv('TZ', zone);

      const { birthDate } = profileOf({ birthday: '1986-08-19' }) as { readonly birthDate: Date };
      const readBack = [birthDate.getTimezoneOffset() === 0, birthDate.getDate(), birthDate.getHours()];

      expect(readBack).toEqual([false, 19, 0]);
    },
  );

  test.each([
    { phone: '+049 30 123456' },
    { phone: '+49 30 12345678901234' },
    { phone: '+49 30 123456 ext. 7' },
    { gender: 'females' },
    { gender: 'not male' },
  ])('%j sets every trait that fits', async (odd) => {
    const { analytics, calls } = begin();

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test('a value that can’t become text becomes an attribute', async () => {
    const { analytics, calls } = begin();
    const odd = Object.fromEntries(
      Object.keys(identifyFields)
        .concat('birthday')
        .map((trait) => [trait, Object.create(null)]),
    );

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test('throws nothing for unreadable traits', async () => {
    const { analytics } = begin();
    const unreadable = {
      get email() {
        throw new TypeError();
      },
    };

    await expect(analytics.identify('johndoe', unreadable)).rejects.toThrow(TypeError);
  });

  test('an object with a name becomes that name in no field but a company’s', async () => {
    const { analytics, calls } = begin();
    const odd = {
      email: { name: 'john@doe.com' },
      emailOptIn: { name: true },
      company: { name: '', employees: 9 },
    };

    await analytics.identify('johndoe', odd);

    expect(calls[0]?.[2]).toEqual({ attributes: odd });
  });

  test('any traits are accepted by the tracker, each as a field or an attribute', () => {
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
        for (const [field, given] of Object.entries(profile)) expect(refusal(field, given)).toBeUndefined();
        for (const trait of Object.keys(traits))
          expect(trait in attributes || (trait === 'birthday' ? 'birthDate' : trait) in profile).toBe(true);
      }),
    );
  }, 60_000);
});

test('track passes the properties, and none of the options', async () => {
  const { analytics, calls } = begin();

  await analytics.track('Bought', { Price: 1 }, { integrations: { All: false } });
  await analytics.track('Bought', null, { integrations: { All: false } });
  await analytics.track('Bought');

  expect(calls).toEqual([
    ['track', 'Bought', { Price: 1 }],
    ['track', 'Bought', null],
    ['track', 'Bought', undefined],
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
  ] as const)('of %s(%j) is called once the call has ended', async (method, call) => {
    const { analytics } = begin();
    const done = vi.fn();

    const end = (analytics[method] as (...given: unknown[]) => Promise<unknown>)(...call, done);
    expect(done).not.toHaveBeenCalled();
    await end.catch(() => {});

    expect(done.mock.calls).toEqual([[]]);
  });

  test('is called even if the call is refused, which its promise reports', async () => {
    const { analytics } = begin(() => Promise.reject(new Error('refused')));
    const done = vi.fn();

    await expect(analytics.track('Bought', done)).rejects.toThrow('refused');

    expect(done).toHaveBeenCalledOnce();
  });
});

test('a refusal of the tracker is logged once to the console, and is no error of the page', async () => {
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

test('ready calls back at once, because nothing has to load', async () => {
  const done = vi.fn();

  await begin().analytics.ready(done);

  expect(done).toHaveBeenCalledOnce();
});

test.each([
  ['alias', 'WebEngage has no alias'],
  ['group', 'WebEngage has no group'],
] as const)(
  'an unsupported call, such as %s, is logged once to the console, and is no error of the page',
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

test('an invalid value for properties is passed to the tracker, and does not become an empty object', async () => {
  const { analytics, calls } = begin();
  const bag = new Map([['Price', 1]]);

  await analytics.track('Bought', bag);

  expect(calls[0]?.[2]).toBe(bag);
});

describe('a page’s own built-ins change nothing:', () => {
  const traits = {
    firstName: 'John',
    phone: '+55 (11) 5525-6325',
    birthday: '1986-08-19',
    company: { name: 'Alphabet Inc.' },
    plan: 'Premium',
    emailOptIn: true,
  };

  function readBack() {
    const { analytics, calls } = begin();
    return {
      calls,
      make: () => [
        analytics.identify('johndoe', traits, null, () => {}),
        analytics.track('Bought', { Price: 1 }, () => {}),
        analytics.page('Shop', 'Cart', { Items: 2 }),
        analytics.identify(JSON.parse('{"__proto__":{"admin":true},"toString":"x"}')),
      ],
    };
  }

  test.each(Object.keys(SPOILT_PAGES))('%s', async (name) => {
    const right = readBack();
    await Promise.all(right.make());
    const spoilt = readBack();

    await Promise.all(onSpoiltPage(name, spoilt.make));

    expect(spoilt.calls).toEqual(right.calls);
    const [, , , last = []] = spoilt.calls;
    const { attributes } = last.at(-1) as { readonly attributes: object };
    expect(Object.keys(attributes)).toEqual(['__proto__', 'toString']);
  });

  test('a company has no inherited name', async () => {
    const { analytics, calls } = begin();

    const end = onSpoiltPage('enumerable names on Object.prototype', () => {
      return analytics.identify('johndoe', { company: Object.create({ name: 'inherited' }) });
    });
    await end;

    expect(calls[0]?.[2]).toEqual({ attributes: { company: {} } });
  });
});

test('any tracker works, whatever its events are', () => {
  type ShopEvents = { Bought: { Price: number } };

  expectTypeOf<Tracker<ShopEvents>>().toExtend<SegmentTracker>();
  expectTypeOf<Tracker>().toExtend<SegmentTracker>();
});
