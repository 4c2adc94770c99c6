import { describe, expect, test } from 'vitest';
import { realPages } from './harness/real-pages.ts';
import { realRelay } from './harness/real-relay.ts';
import type { Tab } from './harness/visitor.ts';

// One bad record costs no other, and a bad field costs no sign-in.

const pages = realPages();
const relay = realRelay();

const namesFrom = async (start: string) =>
  (await relay.events()).map(({ eventName }) => eventName).filter((name) => name.startsWith(start));

/** The repairs that were reported to the page, by path. */
const repairs = async (tab: Tab) =>
  Object.fromEntries((await tab.reported('repaired')).map(({ about }) => [about.path, about.done]));

describe('a field __proto__ in a page’s data', () => {
  const FORMS = [
    ['of a query', `Object.fromEntries(new URLSearchParams('?utm=x&__proto__=1'))`],
    ['of parsed JSON', `JSON.parse('{"utm":"x","__proto__":{"admin":true}}')`],
    ['deep inside', `{ utm: 'x', deep: { list: [JSON.parse('{"__proto__":1,"a":1}')] } }`],
  ] as const;

  test.each(FORMS)(
    '%s: the field is left out and reported, the neighbours arrive, in few requests',
    async (title, data) => {
      const visitor = await pages.visitor({ through: relay.url() });
      const tab = await visitor.open();
      // Else it would send nothing, and write the calls down for the visitor's next page.
      await tab.run('await webengageRelay.stats()');
      const calls = Array.from({ length: 22 }, (_, n) =>
        n === 11 ? `webengageRelay.track('${title} 11', ${data})` : `webengageRelay.track('${title} ${n}')`,
      );

      await tab.run(`await Promise.all([${calls}])`);
      expect(await tab.flush()).toEqual({ settled: true });

      expect(await namesFrom(title)).toHaveLength(22);
      const bad = (await relay.events()).find(({ eventName }) => eventName === `${title} 11`);
      expect(bad?.eventData?.utm).toBe('x');
      expect(JSON.stringify(bad)).not.toContain('__proto__');
      expect(Object.keys(await repairs(tab)).join()).toContain('__proto__');
      expect(visitor.relay.requests().length).toBeLessThanOrEqual(3);
    },
  );

  test.each(FORMS)(
    '%s, in a page that is closed at once: all 22 arrive, even if nobody comes back',
    async (title, data) => {
      const visitor = await pages.visitor({ through: relay.url() });
      const tab = await visitor.open();
      // Else it would send nothing, and write the calls down for the visitor's next page.
      await tab.run('await webengageRelay.stats()');
      const calls = Array.from({ length: 22 }, (_, n) =>
        n === 11
          ? `webengageRelay.track('Closed ${title} 11', ${data})`
          : `webengageRelay.track('Closed ${title} ${n}')`,
      );

      await tab.quit(calls.join(';'));

      await visitor.relay.have(Array.from({ length: 22 }, (_, n) => `Closed ${title} ${n}`));
      expect(await namesFrom(`Closed ${title}`)).toHaveLength(22);
    },
  );

  test('in a profile: the sign-in succeeds', async () => {
    const visitor = await pages.visitor({ through: relay.url() });
    const tab = await visitor.open();

    await tab.run(`await webengageRelay.identify('proto-ada', JSON.parse('{"firstName":"Ada","__proto__":1,"attributes":{"__proto__":1,"plan":"x"}}'));
      await webengageRelay.track('After __proto__')`);
    await tab.flush();

    expect((await relay.users()).find(({ userId }) => userId === 'proto-ada')).toMatchObject({
      firstName: 'Ada',
      attributes: { plan: 'x' },
    });
  });
});

describe('a proxy answers one body in the relay’s place', () => {
  const PAGE = '<!doctype html><title>Blocked</title>';

  test.each([
    ['403 and a page', { status: 403, body: PAGE }, false],
    ['403 and a page, the relay on the page’s own origin', { status: 403, body: PAGE }, true],
    ['406 and a page', { status: 406, body: PAGE }, false],
    ['400 and a page', { status: 400, body: PAGE }, false],
    ['200 and a page', { status: 200, body: PAGE }, false],
    ['500 and other JSON', { status: 500, body: '{"message":"denied"}' }, false],
  ] as const)('%s: all other records arrive, and so do later ones', async (_, what, firstParty) => {
    const visitor = await pages.visitor({ firstParty });
    visitor.relay.behave(({ body }) => (body.includes('<script') ? { what } : undefined));
    const tab = await visitor.open();

    await tab.run(`await Promise.all([1, 2, 3, 4, 5, 6].map((n) =>
      webengageRelay.track('Search ' + n, { query: n === 3 ? '<script>alert(1)</script>' : 'mugs' })))`);
    tab.run('await webengageRelay.flush()').catch(() => {});

    await visitor.relay.have(
      [1, 2, 4, 5, 6].map((n) => `Search ${n}`),
      25_000,
    );
    await tab.run(`await webengageRelay.track('Later')`);
    await visitor.relay.have(['Later'], 12_000);
    expect(visitor.relay.names()).not.toContain('Search 3');
    expect(visitor.relay.doubled()).toEqual([]);
    const events = await tab.reported();
    expect(events.some(({ name }) => ['retrying', 'rejected', 'dropped'].includes(name))).toBe(true);
  });

  test('413 from a proxy with a small limit: all records that fit alone arrive', async () => {
    const visitor = await pages.visitor();
    visitor.relay.behave(({ body }) =>
      body.length > 4_000 ? { what: { status: 413, body: PAGE } } : undefined,
    );
    const tab = await visitor.open();

    await tab.run(
      `await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => webengageRelay.track('Big ' + n, { text: 'x'.repeat(900) })))`,
    );
    tab.run('await webengageRelay.flush()').catch(() => {});

    await visitor.relay.have(
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `Big ${n}`),
      25_000,
    );
    expect(visitor.relay.doubled()).toEqual([]);
  });

  test('any body, as a captive portal does: no record is dropped, and all arrive once it has gone', async () => {
    const visitor = await pages.visitor();
    visitor.relay.behave(() => ({ what: { status: 403, body: PAGE } }));
    const tab = await visitor.open();

    await tab.run(`await Promise.all([1, 2, 3].map((n) => webengageRelay.track('Kept ' + n)))`);
    const end = await tab.flush();
    const events = await tab.reported();
    await tab.quit('');
    visitor.relay.behave(() => undefined);

    expect(end).toMatchObject({ settled: false });
    expect(events.filter(({ name }) => name === 'rejected' || name === 'dropped')).toEqual([]);
    await tab.go();
    await visitor.relay.have(['Kept 1', 'Kept 2', 'Kept 3'], 12_000);
    expect(visitor.relay.doubled()).toEqual([]);
  });
});

describe('a profile with a bad field', () => {
  test('phone, gender and birthday as forms have them: Ada is signed in, with that birthday', async () => {
    const visitor = await pages.visitor({ through: relay.url(), timezoneId: 'America/Los_Angeles' });
    const tab = await visitor.open();

    await tab.run(`await webengageRelay.identify('form-ada', { phone: '98765', gender: 'Female', birthDate: '1990-05-17', firstName: 'Ada' });
      await webengageRelay.track('Signed in with a form')`);
    expect(await tab.flush()).toEqual({ settled: true });

    const ada = (await relay.users()).find(({ userId }) => userId === 'form-ada');
    expect(ada).toMatchObject({ firstName: 'Ada', birthDate: expect.stringMatching(/^1990-05-17T/) });
    expect(ada).not.toHaveProperty('phone');
    expect([undefined, 'female']).toContain(ada?.gender);
    expect(visitor.relay.ownerOf('Signed in with a form')).toBe('form-ada');
    expect(await repairs(tab)).toMatchObject({ phone: 'left_out' });
    expect(await tab.reported('rejected')).toEqual([]);
  });

  test.each([
    ['email', 'null'],
    ['email', '5'],
    ['firstName', '{}'],
    ['company', `'x'.repeat(2000)`],
    ['emailOptIn', `'yes'`],
    ['birthDate', `'17.05.1990'`],
    ['birthDate', `new Date('never')`],
    ['birthDate', `'1990-02-30'`],
    ['gender', `'w'`],
    ['phone', `'+49 (0) 30 1234'`],
    ['plan', `'Premium'`],
    ['attributes', `'Premium'`],
    ['attributes', `null`],
    ['attributes', `new Proxy({}, { ownKeys() { throw new Error('no'); } })`],
    ['lastName', `Promise.resolve('Lovelace')`],
  ])('%s: %s: the sign-in succeeds, and the field is reported', async (field, value) => {
    const visitor = await pages.quickVisitor(relay.url());
    const tab = await visitor.open();
    const userId = `${field} ${value}`.slice(0, 60).replaceAll("'", '');

    await tab.run(`await webengageRelay.identify(${JSON.stringify(userId)}, { ${field}: ${value}, smsOptIn: true });
      await webengageRelay.track('Then')`);
    expect(await tab.flush()).toEqual({ settled: true });

    expect((await relay.users()).find((user) => user.userId === userId)).toMatchObject({ smsOptIn: true });
    expect(visitor.relay.ownerOf('Then')).toBe(userId);
    expect(Object.keys(await repairs(tab)).some((path) => path.startsWith(field))).toBe(true);
    expect(tab.errors).toEqual([]);
  });

  test.each([
    ['text', `'profile'`],
    ['null', 'null'],
    ['an array', '[1]'],
    [
      'a proxy that throws',
      `new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); } })`,
    ],
    ['a revoked proxy', `(function (p) { p.revoke(); return p.proxy; })(Proxy.revocable({}, {}))`],
  ])('%s for a profile: the sign-in succeeds', async (title, profile) => {
    const visitor = await pages.quickVisitor(relay.url());
    const tab = await visitor.open();

    await tab.run(
      `await webengageRelay.identify('Whole ${title}', ${profile}); await webengageRelay.track('Then')`,
    );
    expect(await tab.flush()).toEqual({ settled: true });

    expect((await relay.users()).map(({ userId }) => userId)).toContain(`Whole ${title}`);
    expect(visitor.relay.ownerOf('Then')).toBe(`Whole ${title}`);
  });
});

describe('an event that WebEngage can’t accept', () => {
  test.each([
    ['a system event', `'user_logged_in'`],
    ['a name of 50 characters', `'n'.repeat(50)`],
    ['a reserved name', `'we_wk_page'`],
  ])(
    '%s: the call resolves, the relay refuses that one alone, and the page gets an event',
    async (title, name) => {
      const visitor = await pages.quickVisitor(relay.url());
      const tab = await visitor.open();

      await tab.run(
        `await Promise.all([webengageRelay.track('${title} -'), webengageRelay.track(${name}), webengageRelay.track('${title} +')])`,
      );
      expect(await tab.flush()).toEqual({ settled: true });

      expect(await namesFrom(title)).toEqual([`${title} -`, `${title} +`]);
      expect(await tab.reported('rejected')).toMatchObject([
        { about: { id: expect.any(String), issues: [{ path: 'eventName' }] } },
      ]);
    },
  );

  test('attributes over the limits are cut or left out, and reported with record, path, rule and action', async () => {
    const visitor = await pages.quickVisitor(relay.url());
    const tab = await visitor.open();

    await tab.run(`await webengageRelay.track('Limits', {
      long: 'x'.repeat(2000), we_reserved: 1, ['n'.repeat(50)]: 2, good: 'stays',
      ...Object.fromEntries(Array.from({ length: 26 }, (_, i) => ['number' + i, i])) })`);
    expect(await tab.flush()).toEqual({ settled: true });

    const data = (await relay.events()).find(({ eventName }) => eventName === 'Limits')?.eventData ?? {};
    expect(data).toMatchObject({ good: 'stays', long: 'x'.repeat(999), number0: 0, number24: 24 });
    expect(Object.keys(data)).toHaveLength(27);
    const events = await tab.reported('repaired');
    for (const { about } of events)
      expect(about).toMatchObject({ record: 'Limits', rule: expect.any(String) });
    expect(await repairs(tab)).toMatchObject({
      'eventData.long': 'cut',
      'eventData.we_reserved': 'left_out',
      'eventData.number25': 'left_out',
    });
  });
});

describe('at the relay, without a tracker', () => {
  const envelope = { v: 1, device: '1b9d8f6e-93a4-4b6f-9d3b-5a1c7e2f4d60' };
  const event = (n: number, more: object = {}) => ({
    kind: 'event',
    id: `${'p'.repeat(20)}${String(n).padStart(2, '0')}.1`,
    userId: 'ada',
    eventName: `Raw ${n}`,
    ...more,
  });

  test('a record with __proto__ costs no other', async () => {
    const bad = JSON.stringify(event(1, { eventData: { x: 1 } })).replace('"x":1', '"__proto__":{"a":1}');
    const body = JSON.stringify({ ...envelope, lenient: true, records: [event(2), 'BAD', event(3)] });

    const answer = await relay.post(body.replace('"BAD"', bad));

    expect(answer.status).toBe(202);
    expect(await namesFrom('Raw 2')).toHaveLength(1);
    expect(await namesFrom('Raw 3')).toHaveLength(1);
  });

  test.each([
    ['null', 11, null],
    ['text', 12, 'record'],
    ['an array', 13, []],
    ['an object of another kind', 14, { kind: 'page', id: `${'q'.repeat(22)}.1` }],
    ['a lone surrogate', 15, event(10, { eventData: { text: '\ud800' } })],
    ['two fields with the same name', 16, 'DOUBLE'],
  ])('%s among the records costs no other', async (title, start, record) => {
    const body = JSON.stringify({
      ...envelope,
      lenient: true,
      records: [
        event(start, { eventName: `Beside ${title} -` }),
        record,
        event(start + 30, { eventName: `Beside ${title} +` }),
      ],
    }).replace(
      '"DOUBLE"',
      `{"kind":"event","id":"${'r'.repeat(22)}.1","userId":"ada","eventName":"Twice","eventName":"Twice"}`,
    );

    const answer = await relay.post(body);

    expect(answer.status).toBe(202);
    expect(await namesFrom(`Beside ${title}`)).toEqual([`Beside ${title} -`, `Beside ${title} +`]);
  });

  test('a lenient batch is repaired and reported, and otherwise the same record is refused', async () => {
    const data = { good: 1, we_bad: 2, long: 'x'.repeat(2000) };

    const lenient = await relay.post({
      ...envelope,
      lenient: true,
      records: [event(90, { eventData: data })],
    });
    const strict = await relay.post({ ...envelope, records: [event(91, { eventData: data })] });

    expect(lenient.body).toMatchObject({ accepted: 1, rejected: [] });
    expect(lenient.body.repaired?.map(({ id, path, done }) => [id, path, done]).sort()).toEqual([
      [event(90).id, 'eventData.long', 'cut'],
      [event(90).id, 'eventData.we_bad', 'left_out'],
    ]);
    expect(strict.body).toMatchObject({ accepted: 0, rejected: [{ id: event(91).id }] });
    const issues = strict.body.rejected?.[0]?.issues.map(({ path }) => path);
    expect(issues).toEqual(expect.arrayContaining(['eventData.we_bad', 'eventData.long']));
  });

  test('an unknown field of a record or of the envelope is left out and reported', async () => {
    const answer = await relay.post({
      ...envelope,
      lenient: true,
      compress: 'later',
      records: [event(92, { priority: 'high' })],
    });

    expect(answer).toMatchObject({ status: 202, body: { accepted: 1, rejected: [] } });
    expect(answer.body.repaired).toMatchObject([{ id: event(92).id, path: 'priority', done: 'left_out' }]);
  });
});
