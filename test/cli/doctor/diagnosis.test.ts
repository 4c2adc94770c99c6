import { describe, expect, test } from 'vitest';
import { isPrivate } from '../../../src/cli/address.ts';
import type { Check } from '../../../src/cli/doctor/check.ts';
import { diagnose } from '../../../src/cli/doctor/diagnosis.ts';
import type { Probe, Reply } from '../../../src/cli/doctor/probe.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const SITE = 'https://shop.example.com';
const OWN = { version: '1.2.3', tracker: 'the script' };

function reply(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const date = new Date(NOW).toUTCString();
  return {
    ok: true,
    status,
    headers: new Headers({ Date: date, ...headers }),
    body: text,
    at: NOW,
    tookMs: 12,
  };
}

const none = (code: string): Reply => ({ ok: false, code });

const refusal = (code: string, message = 'words'): object => ({ error: { code, message } });

const SCRIPT_HEADERS = {
  'Content-Type': 'text/javascript',
  'Cache-Control': 'public, max-age=300, stale-while-revalidate=86400',
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

const STATUS = {
  at: NOW + 10_000,
  backlog: { records: 0, oldestAgeMs: 0, growthPerMinute: 0 },
  deadLetters: 0,
  gate: { requestsPerMinute: 500, pausedUntil: null, suspension: null, key: 'primary' },
  minutes: [{ at: NOW - 60_000, calls: 40 }],
  totals: { taken: 40 },
  alerts: { active: [], destinations: [{ form: 'slack', waiting: 0, last: null }] },
  shards: [{ name: '1/0', full: false, unreachable: false }],
};

/** A status with these alerts. */
const withAlerts = (alerts: object) => ({
  status: reply(200, { ...STATUS, alerts: { ...STATUS.alerts, ...alerts } }),
});
const failed = (status: number) => ({ last: { at: NOW, delivered: false, status } });

const GOOD: Probe = {
  url: 'https://t.example.com',
  health: reply(200, { status: 'ok', version: '1.2.3' }),
  script: reply(200, 'the script', SCRIPT_HEADERS),
  site: {
    origin: SITE,
    reply: reply(400, refusal('invalid_batch'), { 'Access-Control-Allow-Origin': SITE }),
  },
  stranger: reply(403, refusal('origin_not_allowed')),
  status: reply(200, STATUS),
};

const find = (checks: readonly Check[], name: string) => checks.find((check) => check.name === name);

test('a healthy relay passes every check, and all are reported', () => {
  const checks = diagnose(GOOD, OWN);

  expect(checks.filter(({ verdict }) => verdict !== 'good')).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    'reachable',
    'tls',
    'health',
    'version',
    'tracker',
    'tracker-headers',
    'origin',
    'strangers',
    'clock',
    'backlog',
    'dead-letters',
    'key',
    'pace',
    'outboxes',
    'alerts',
  ]);
});

test('alerts are not asked for on this machine, nor of a relay that does not know them', () => {
  const { alerts: _, ...older } = STATUS;
  const here = { ...GOOD, url: 'http://localhost:8787', ...withAlerts({ destinations: [] }) };

  expect(find(diagnose(here, OWN), 'alerts')).toBeUndefined();
  expect(find(diagnose({ ...GOOD, status: reply(200, older) }, OWN), 'alerts')).toBeUndefined();
});

test('every failed check says what to do', () => {
  const worst: Probe = {
    ...GOOD,
    health: reply(502, ''),
    script: reply(404, ''),
    stranger: none('ECONNRESET'),
  };

  for (const { verdict, todo } of diagnose(worst, OWN)) expect(todo !== undefined).toBe(verdict !== 'good');
});

describe('an unreachable relay is reported as that alone', () => {
  test.each([
    ['ENOTFOUND', 'reachable', 'does not exist'],
    ['ECONNREFUSED', 'reachable', 'is deployed'],
    ['TimeoutError', 'reachable', 'is deployed'],
    ['CERT_HAS_EXPIRED', 'tls', 'certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'certificate'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', 'certificate'],
  ])('%s', (code, name, words) => {
    const [check, ...more] = diagnose({ ...GOOD, health: none(code) }, OWN);

    expect(more).toEqual([]);
    expect(check).toMatchObject({ name, verdict: 'bad' });
    expect(`${check?.says} ${check?.todo}`).toContain(words);
  });
});

test.each<[wrong: string, probe: Partial<Probe>, name: string, verdict: string, words: string]>([
  ['no TLS', { url: 'http://t.example.com' }, 'tls', 'bad', 'https://t.example.com'],
  ['no TLS on localhost', { url: 'http://127.0.0.1:8787' }, 'tls', 'unsure', 'this machine'],
  [
    'a missing key',
    { health: reply(503, refusal('unavailable', 'WEBENGAGE_API_KEY is not set')) },
    'health',
    'bad',
    'npx wrangler secret put WEBENGAGE_API_KEY',
  ],
  [
    'a missing variable',
    { health: reply(503, refusal('unavailable', 'ALLOWED_ORIGINS must name the sites')) },
    'health',
    'bad',
    'set ALLOWED_ORIGINS in wrangler.jsonc',
  ],
  [
    'a missing binding',
    { health: reply(503, { status: 'broken', version: '1.2.3', message: 'OUTBOX must be bound' }) },
    'health',
    'bad',
    'OUTBOX must be bound compare durable_objects',
  ],
  [
    'a missing binding whose name looks like that of a setting',
    { health: reply(503, { status: 'broken', version: '1.2.3', message: 'RATE_GATE must be bound' }) },
    'health',
    'bad',
    'RATE_GATE must be bound compare durable_objects',
  ],
  [
    'a setting whose name begins like that of a binding',
    { health: reply(503, refusal('unavailable', 'OUTBOX_SHARDS must be a whole number')) },
    'health',
    'bad',
    'set OUTBOX_SHARDS in wrangler.jsonc',
  ],
  [
    'a suspended relay',
    { health: reply(503, { status: 'suspended', version: '1.2.3', message: 'WebEngage answers 401' }) },
    'health',
    'bad',
    'WebEngage answers 401',
  ],
  ['a sign-in page', { health: reply(302, '', { Location: '/login' }) }, 'health', 'bad', '/login'],
  ['another server', { health: reply(200, '<html>') }, 'health', 'bad', 'check the address'],
  [
    'a path in the address',
    { url: 'https://t.example.com/admin', health: reply(404, '') },
    'health',
    'bad',
    'leave out the path: https://t.example.com',
  ],
  [
    'no script of another server',
    { health: reply(200, '<html>'), script: reply(404, '') },
    'tracker',
    'bad',
    'see /health',
  ],
  [
    'no script of a relay with a problem',
    { health: reply(503, refusal('unavailable')), script: reply(404, '') },
    'tracker',
    'bad',
    'assets.directory',
  ],
  [
    'another version',
    { health: reply(200, { status: 'ok', version: '9.9.9' }) },
    'version',
    'unsure',
    'npx webengage-relay@9.9.9',
  ],
  ['no script', { script: reply(404, '') }, 'tracker', 'bad', 'assets.directory'],
  [
    'a page in place of a script',
    { script: reply(200, '', { 'Content-Type': 'text/html' }) },
    'tracker',
    'bad',
    'text/html',
  ],
  [
    'another script',
    { script: reply(200, 'older', SCRIPT_HEADERS) },
    'tracker',
    'bad',
    'differs from that of version 1.2.3',
  ],
  [
    'a script cached for a year',
    { script: reply(200, 'the script', { ...SCRIPT_HEADERS, 'Cache-Control': 'max-age=31536000' }) },
    'tracker-headers',
    'unsure',
    '8760 hours',
  ],
  [
    'a script without a cache lifetime',
    { script: reply(200, 'the script', { 'Content-Type': 'text/javascript' }) },
    'tracker-headers',
    'unsure',
    '_headers',
  ],
  [
    'a script without CORS',
    {
      script: reply(200, 'the script', { 'Content-Type': 'text/javascript', 'Cache-Control': 'max-age=300' }),
    },
    'tracker-headers',
    'unsure',
    'integrity',
  ],
  [
    'a script for same-origin pages',
    {
      script: reply(200, 'the script', { ...SCRIPT_HEADERS, 'Cross-Origin-Resource-Policy': 'same-origin' }),
    },
    'tracker-headers',
    'unsure',
    'COEP',
  ],
  ['no site given', { site: undefined }, 'origin', 'unsure', '--origin'],
  [
    'a site that is not allowed',
    { site: { origin: SITE, reply: reply(403, refusal('origin_not_allowed')) } },
    'origin',
    'bad',
    'ALLOWED_ORIGINS',
  ],
  [
    'an answer that no page may read',
    { site: { origin: SITE, reply: reply(400, refusal('invalid_batch')) } },
    'origin',
    'bad',
    'CORS',
  ],
  [
    'an answer for another site',
    {
      site: {
        origin: SITE,
        reply: reply(400, refusal('invalid_batch'), { 'Access-Control-Allow-Origin': 'https://example.com' }),
      },
    },
    'origin',
    'bad',
    'CORS',
  ],
  [
    'another server at the admin API',
    { site: { origin: SITE, reply: reply(200, 'ok') } },
    'origin',
    'bad',
    '200',
  ],
  ['every site allowed', { stranger: reply(400, refusal('invalid_batch')) }, 'strangers', 'unsure', '*'],
  [
    'a wrong clock',
    { health: reply(200, { status: 'ok' }, { Date: new Date(NOW - 90_000).toUTCString() }) },
    'clock',
    'unsure',
    '90 s',
  ],
  ['a wrong token', { status: reply(404, refusal('not_found')) }, 'admin', 'bad', 'ADMIN_TOKEN'],
  ['a status in another form', { status: reply(200, { at: 1 }) }, 'admin', 'unsure', '200'],
  [
    'an old backlog',
    { status: reply(200, { ...STATUS, backlog: { records: 7, oldestAgeMs: 90_000, growthPerMinute: 5 } }) },
    'backlog',
    'unsure',
    '7 records wait, the oldest for 90 s',
  ],
  [
    'dead letters',
    { status: reply(200, { ...STATUS, deadLetters: 1 }) },
    'dead-letters',
    'unsure',
    '1 dead letter,',
  ],
  [
    'suspended deliveries',
    { status: reply(200, { ...STATUS, gate: { ...STATUS.gate, suspension: { status: 404, since: NOW } } }) },
    'key',
    'bad',
    'WEBENGAGE_LICENSE_CODE',
  ],
  [
    'the secondary key in use',
    { status: reply(200, { ...STATUS, gate: { ...STATUS.gate, key: 'secondary' } }) },
    'key',
    'unsure',
    'secondary',
  ],
  [
    'an unproven key',
    { status: reply(200, { ...STATUS, totals: { taken: 0 } }) },
    'key',
    'unsure',
    'unproven',
  ],
  [
    'a pause',
    { status: reply(200, { ...STATUS, gate: { ...STATUS.gate, pausedUntil: NOW } }) },
    'pace',
    'unsure',
    '40 of 500 calls',
  ],
  [
    'an active alert',
    withAlerts({ active: [{ title: 'Records are late', link: 'https://docs.example/#late' }] }),
    'alerts',
    'unsure',
    'https://docs.example/#late',
  ],
  ['no receiver of alerts', withAlerts({ destinations: [] }), 'alerts', 'unsure', 'ALERT_WEBHOOK'],
  ['a failed receiver', withAlerts({ destinations: [failed(404)] }), 'alerts', 'unsure', '(404)'],
  ['a receiver without answer', withAlerts({ destinations: [failed(0)] }), 'alerts', 'unsure', '(no answer)'],
  [
    'a full outbox',
    { status: reply(200, { ...STATUS, shards: [{ name: '2/1', full: true, unreachable: false }] }) },
    'outboxes',
    'bad',
    '2/1',
  ],
  [
    'a silent outbox',
    { status: reply(200, { ...STATUS, shards: [{ name: '2/1', full: false, unreachable: true }] }) },
    'outboxes',
    'unsure',
    '2/1',
  ],
])('%s', (_, wrong, name, verdict, words) => {
  const check = find(diagnose({ ...GOOD, ...wrong }, OWN), name);

  expect(check).toMatchObject({ verdict });
  expect(`${check?.says} ${check?.todo}`).toContain(words);
});

describe('a relay on this machine is corrected there, not by a deploy', () => {
  const url = 'http://localhost:8787';

  test.each<[wrong: string, probe: Partial<Probe>, name: string, words: string]>([
    ['not running', { health: none('ECONNREFUSED') }, 'reachable', 'npx webengage-relay dev'],
    ['another server', { health: reply(404, '') }, 'health', 'check the port'],
    [
      'a site that is not allowed',
      { site: { origin: SITE, reply: reply(403, refusal('origin_not_allowed')) } },
      'origin',
      `restart npx webengage-relay dev with --origins ${SITE}`,
    ],
    ['every site allowed', { stranger: reply(400, refusal('invalid_batch')) }, 'strangers', '--origins'],
    ['a wrong token', { status: reply(404, refusal('not_found')) }, 'admin', 'the token that'],
  ])('%s', (_, wrong, name, words) => {
    const { todo = '' } = find(diagnose({ ...GOOD, url, ...wrong }, OWN), name) ?? {};

    expect(todo).toContain(words);
    expect(todo).not.toContain('deploy');
  });
});

test('a short wait causes no warning', () => {
  const backlog = { records: 1, oldestAgeMs: 900, growthPerMinute: 1 };

  expect(
    find(diagnose({ ...GOOD, status: reply(200, { ...STATUS, backlog }) }, OWN), 'backlog'),
  ).toMatchObject({
    verdict: 'good',
    says: '1 record waits, the oldest for 1 s',
  });
});

test('the script of a relay of another version is not judged', () => {
  const other = {
    ...GOOD,
    health: reply(200, { status: 'ok', version: '9.9.9' }),
    script: reply(200, 'theirs', SCRIPT_HEADERS),
  };

  expect(find(diagnose(other, OWN), 'tracker')).toMatchObject({ verdict: 'unsure' });
});

test.each([
  ['https://t.example.com', true],
  ['http://127.0.0.1:8787', true],
  ['http://[::1]:8787', true],
  ['http://t.example.com', false],
  ['http://127.0.0.1.example.com', false],
])('a secret may be sent to %s: %j', (url, may) => {
  expect(isPrivate(url)).toBe(may);
});
