import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { createTracker, type Tracker } from '../../src/tracker/index.ts';
import {
  anonymousId,
  type JoinedTracker,
  type JoinOptions,
  joinWebEngage,
} from '../../src/webengage/index.ts';

const tracker = () => {
  const calls: string[] = [];
  const keep = (name: string) => () => {
    calls.push(name);
    return new Promise<never>(() => {});
  };
  const joined = {
    use: keep('use'),
    on: keep('on'),
    flush: keep('flush'),
    stats: keep('stats'),
    track: keep('track'),
  };
  return { joined: joined as unknown as JoinedTracker, calls };
};

afterEach(() => {
  vi.restoreAllMocks();
});

test('any tracker can be joined, and the stub', () => {
  type Shop = { 'Added to Cart': { Price: number }; 'Signed Out': undefined };

  expectTypeOf<Tracker>().toExtend<JoinedTracker>();
  expectTypeOf<Tracker<Shop, { plan?: string }>>().toExtend<JoinedTracker>();
});

test.each([
  [{ forward: 'Cart Opened' }, 'forward must be a list of event names'],
  [{ forward: [7] }, 'forward must be a list of event names'],
  [{ login: 'token' }, 'login must be a function, not token'],
  [{ wait: -1 }, 'wait must be a number of milliseconds, not -1'],
  [{ wait: 'soon' }, 'wait must be a number of milliseconds, not soon'],
])('%j is refused', (options, message) => {
  const { joined, calls } = tracker();

  expect(() => joinWebEngage(joined, options as unknown as JoinOptions)).toThrow(message);
  expect(calls).toEqual([]);
});

describe('a browser', () => {
  test('without the SDK and without storage is joined all the same, and nothing is sent', () => {
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
      throw new Error('blocked');
    });
    const { joined, calls } = tracker();

    joinWebEngage(joined)();

    expect(calls).toEqual(['use', 'on', 'on']);
  });

  test('needs the plugin for the option `anonymousId`', () => {
    const options = { endpoint: 'https://t.example.com', anonymousId: () => 'luid' };

    expect(() => createTracker(options)).toThrow('needs tracker.full.js, or its add-on in plugins');
    expect(anonymousId()).toMatchObject({ engine: expect.any(Function) });
  });
});
