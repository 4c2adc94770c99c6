import { describe, expect, test } from 'vitest';
import { clockOff } from './harness/page-troubles.ts';
import { realPages } from './harness/real-pages.ts';
import { realRelay } from './harness/real-relay.ts';

// The page's own network: what it wraps, what it uses up, and who answers in between.

const pages = realPages();
const relay = realRelay();

const DAY_MS = 24 * 3_600_000;

describe('the page wraps fetch', () => {
  const wrapping = (code: string) =>
    `(function (native) { window.fetch = function (url, init) { ${code} }; })(window.fetch);`;

  test.each([
    [
      'to add a header',
      `return native(url, Object.assign({}, init, { headers: Object.assign({ 'X-App-Version': '7' }, init && init.headers) }));`,
    ],
    [
      'to add a header to the page’s own Headers',
      `var headers = new Headers(init && init.headers); headers.set('X-App-Version', '7'); return native(url, Object.assign({}, init, { headers: headers }));`,
    ],
    [
      'to add headers for tracing',
      `return native(url, Object.assign({}, init, { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'sentry-trace': '1', baggage: 'a=b' } }));`,
    ],
    [
      'to set the content type',
      `return native(url, Object.assign({}, init, { headers: { 'Content-Type': 'application/json' } }));`,
    ],
    ['to make it a Request', `return native(new Request(url, init));`],
    ['to leave out what it does not know', `return native(url, { method: init.method, body: init.body });`],
    [
      'to return its own kind of promise',
      `var promise = native(url, init); return { then: function (y, n) { return promise.then(y, n); } };`,
    ],
    [
      'to read each answer first',
      `return native(url, init).then(function (answer) { return answer.clone().text().then(function () { return answer; }); });`,
    ],
  ])('%s: records arrive', async (_, code) => {
    const visitor = await pages.quickVisitor();
    const before = wrapping(code);
    const tab = await visitor.open({ before });

    await tab.run(`await webengageRelay.track('Wrapped')`);

    expect(await tab.flush()).toEqual({ settled: true });
    expect(visitor.relay.names()).toEqual(['Wrapped']);
    await tab.leave(`webengageRelay.track('Left')`, { before });
    await visitor.relay.have(['Left']);
    expect(visitor.relay.doubled()).toEqual([]);
    expect(tab.errors).toEqual([]);
  });

  test.each([
    ['a fetch that throws', `throw new Error('blocked');`],
    ['a fetch that returns nothing', `return undefined;`],
    ['a fetch that resolves to something else', `return Promise.resolve({});`],
    ['a fetch that never settles', `return new Promise(function () {});`],
  ])('%s: nothing is thrown into the page, and all records arrive once it stops', async (_, code) => {
    const visitor = await pages.quickVisitor();
    const tab = await visitor.open({
      before: wrapping(`if (window.isOpen) return native(url, init); ${code}`),
    });

    await tab.run(`await webengageRelay.track('Held back')`);
    tab.run('await webengageRelay.flush()').catch(() => {});
    await tab.run('isOpen = true');
    await tab.leave('');
    await tab.run('isOpen = true');

    await visitor.relay.have(['Held back'], 12_000);
    expect(visitor.relay.doubled()).toEqual([]);
    expect(tab.errors).toEqual([]);
  });

  test('the real relay’s preflight allows each header a browser asks for, and never credentials', async () => {
    const asked = 'content-type,x-app-version,traceparent,tracestate,sentry-trace,baggage,x-datadog-trace-id';
    const answer = await fetch(`${relay.url()}/v1/batch`, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://shop.example.com',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked,
      },
    });

    const allowed = (answer.headers.get('Access-Control-Allow-Headers') ?? '').toLowerCase().split(/\s*,\s*/);
    expect(answer.ok).toBe(true);
    expect(asked.split(',').filter((name) => !allowed.includes(name))).toEqual([]);
    expect(answer.headers.get('Access-Control-Allow-Credentials')).toBeNull();
  });

  test('an extra header on the way to the real relay: the event reaches WebEngage', async () => {
    const visitor = await pages.quickVisitor();
    const code = `return native('${relay.url()}/v1/batch', Object.assign({}, init, { headers: { 'X-App-Version': '7' } }));`;
    const tab = await visitor.open({ before: wrapping(code) });

    await tab.run(`await webengageRelay.track('With a header')`);

    expect(await tab.flush()).toEqual({ settled: true });
    expect((await relay.events()).map(({ eventName }) => eventName)).toContain('With a header');
  });
});

describe('the page’s own keepalive requests use up the budget', () => {
  test.each([63_000, 65_000])(
    '%i bytes of them in flight: records arrive all the same, at once',
    async (bytes) => {
      const visitor = await pages.visitor();
      visitor.relay.servePages((request, response) =>
        request.method === 'POST' ? undefined : void response.writeHead(204).end(),
      );
      const tab = await visitor.open();

      await tab.run(`fetch('${visitor.relay.url}/own', { method: 'POST', mode: 'no-cors', keepalive: true, body: 'x'.repeat(${bytes}) }).catch(() => {});
      await Promise.all([1, 2, 3].map((n) => webengageRelay.track('Event ' + n, { text: 'y'.repeat(900) })))`);

      expect(await tab.flush()).toEqual({ settled: true });
      await visitor.relay.have(['Event 1', 'Event 2', 'Event 3']);
    },
  );
});

describe('Retry-After', () => {
  test.each([
    ['of a year', () => '31536000', ''],
    ['of 10^20 seconds', () => '100000000000000000000', ''],
    ['a date in a year', () => new Date(Date.now() + 365 * DAY_MS).toUTCString(), ''],
    [
      'a date in a minute, read by a clock a year behind',
      () => new Date(Date.now() + 60_000).toUTCString(),
      clockOff(-365 * DAY_MS),
    ],
    [
      'a date in a minute, read by a clock 3 days behind',
      () => new Date(Date.now() + 60_000).toUTCString(),
      clockOff(-3 * DAY_MS),
    ],
  ])('%s: capped at a day, in all tabs, and reported', async (_, retryAfter, before) => {
    const visitor = await pages.visitor();
    visitor.relay.behave(() => ({
      what: { status: 503, body: 'busy', headers: { 'Retry-After': retryAfter() } },
    }));
    const [first, second] = await Promise.all([visitor.open({ before }), visitor.open({ before })]);

    await first.run(`await webengageRelay.track('Waits')`);
    const ends = [await first.flush(), await second.flush()];

    for (const { settled, retryInMs = 0 } of ends) {
      expect(settled).toBe(false);
      expect(retryInMs).toBeGreaterThan(0);
      expect(retryInMs).toBeLessThanOrEqual(DAY_MS + 60_000);
    }
    expect(await first.reported('dropped')).toEqual([]);
  });

  test('of 2 seconds is respected by both tabs', async () => {
    const visitor = await pages.visitor();
    const [first, second] = await Promise.all([visitor.open(), visitor.open()]);
    visitor.relay.behave(() => ({ what: { status: 429, body: '', headers: { 'Retry-After': '2' } } }));
    await first.run(`await webengageRelay.track('Waits')`);
    await first.flush();
    const askedAt = visitor.relay.requests().at(-1)?.at ?? 0;

    visitor.relay.behave(() => undefined);
    await second.run(`await webengageRelay.track('Waits too')`);
    await second.flush();
    await visitor.relay.have(['Waits', 'Waits too'], 15_000);

    const [next] = visitor.relay.requests().filter(({ at }) => at > askedAt);
    expect((next?.at ?? 0) - askedAt).toBeGreaterThanOrEqual(1_900);
  });
});

describe('an answer of a relay of another release', () => {
  test('unsupported_version: records are kept, and arrive once the relay knows the version', async () => {
    const visitor = await pages.visitor();
    const body = JSON.stringify({ error: { code: 'unsupported_version', message: 'v' }, now: Date.now() });
    visitor.relay.behave(() => ({
      what: { status: 400, body, headers: { 'Content-Type': 'application/json' } },
    }));
    const tab = await visitor.open();
    await tab.run(`await Promise.all([1, 2].map((n) => webengageRelay.track('Kept ' + n)))`);

    const end = await tab.flush();
    visitor.relay.behave(() => undefined);

    expect(end).toMatchObject({ settled: false });
    expect((await tab.reported()).filter(({ name }) => name !== 'retrying')).toEqual([]);
    expect(visitor.relay.requests()).toHaveLength(1);
    expect(await tab.run('return (await webengageRelay.stats()).buffered')).toBe(2);
  });
});

test.each([
  ['network', { what: 'drop' }],
  ['unavailable', { what: { status: 503, body: '{"error":{"code":"unavailable","message":""}}' } }],
  ['rate_limited', { what: { status: 429, body: '{"error":{"code":"rate_limited","message":""}}' } }],
  ['forbidden', { what: { status: 403, body: '{"error":{"code":"origin_not_allowed","message":""}}' } }],
  ['unexpected_response', { what: { status: 200, body: '<!doctype html>Hello' } }],
  ['token_required', { what: { status: 401, body: '{"error":{"code":"invalid_token","message":""}}' } }],
] as const)('the reason %s is reported by its name', async (reason, behaviour) => {
  const visitor = await pages.quickVisitor();
  visitor.relay.behave(() => behaviour);
  const tab = await visitor.open();
  await tab.run(`await webengageRelay.track('Waits')`);

  expect(await tab.flush()).toMatchObject({ settled: false, reason });
  expect((await tab.reported('retrying'))[0]?.about).toMatchObject({ reason });
});
