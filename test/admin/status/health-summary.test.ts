import { expect, test } from 'vitest';
import { healthSummary, outOfReach } from '../../../src/admin/status/health-summary.ts';
import { minute, NOW, shard, status } from '../status.ts';

const SUSPENSION = { since: NOW - 710_000, status: 401, probeAt: NOW + 41_000 };

test('an idle relay is healthy', () => {
  expect(healthSummary(status())).toEqual({
    mood: 'good',
    name: 'Healthy',
    line: 'No records are waiting.',
    advice: 'No action needed.',
    also: [],
  });
});

test('records that linger briefly are no backlog', () => {
  const state = healthSummary(status({ backlog: { records: 40, oldestAgeMs: 1_500, drainMs: null } }));

  expect(state).toMatchObject({ name: 'Healthy', line: '40 records on the way.' });
});

test('a shrinking backlog says when it will be empty', () => {
  const state = healthSummary(
    status({ backlog: { records: 1_234, oldestAgeMs: 61_000, growthPerMinute: -420, drainMs: 176_000 } }),
  );

  expect(state).toMatchObject({ mood: 'busy', name: 'Draining' });
  expect(state.line).toBe('1,234 records wait, the oldest for 1 min 1 s; empty in about 2 min 56 s.');
});

test('a growing backlog is a warning', () => {
  const state = healthSummary(
    status({ backlog: { records: 9_000, oldestAgeMs: 61_000, growthPerMinute: 400, drainMs: null } }),
  );

  expect(state).toMatchObject({ mood: 'warn', name: 'Growing' });
});

test('a refused key: the summary says that nothing is lost and what to do', () => {
  const state = healthSummary(status({ gate: { suspension: SUSPENSION } }));

  expect(state).toMatchObject({ mood: 'bad', name: 'Suspended' });
  expect(state.line).toContain('WebEngage has answered 401');
  expect(state.line).toContain('Nothing is lost');
  expect(state.advice).toContain('`npx wrangler secret put WEBENGAGE_API_KEY`');
  expect(state.also).toEqual(['The next probe is in 41 s.']);
});

test('a suspension after a 404 asks to check host and license', () => {
  const state = healthSummary(status({ gate: { suspension: { ...SUSPENSION, status: 404 } } }));

  expect(state.advice).toContain('`WEBENGAGE_REGION` and `WEBENGAGE_LICENSE_CODE`');
});

test('the advice to a suspended relay stays the same while its figures change', () => {
  const first = healthSummary(status({ gate: { suspension: SUSPENSION } }));
  const later = healthSummary(status({ at: NOW + 2_000, gate: { suspension: SUSPENSION } }));

  expect(later.advice).toBe(first.advice);
});

test('a 429 pauses until a future time', () => {
  expect(healthSummary(status({ gate: { pausedUntil: NOW + 38_000 } }))).toMatchObject({ name: 'Paused' });
  expect(healthSummary(status({ gate: { pausedUntil: NOW - 1 } }))).toMatchObject({ name: 'Healthy' });
});

test('a full outbox says where new records are kept', () => {
  const state = healthSummary(status({ shards: [shard({ full: true })] }));

  expect(state).toMatchObject({ mood: 'bad', name: 'Full' });
  expect(state.line).toMatch(/^The outbox is full: .* the browsers keep them/);
});

test('with several outboxes it says how many are full', () => {
  const shards = [shard({ name: '2/0', full: true }), shard({ name: '2/1', records: 5 })];

  expect(healthSummary(status({ shards })).line).toContain('1 of 2 outboxes is full');
});

test('the worst finding comes first, and the rest follows', () => {
  const state = healthSummary(
    status({
      backlog: { records: 18_000_000, oldestAgeMs: 60_000, drainMs: null },
      gate: { suspension: SUSPENSION },
      shards: [shard({ full: true })],
    }),
  );

  expect(state.name).toBe('Suspended');
  expect(state.also.join(' ')).toContain('The outbox is full');
});

test('WebEngage counts as failing if no call of the last two minutes was accepted', () => {
  const down = healthSummary(
    status({
      backlog: { retrying: 3, byStatus: { '0': 1, '503': 2 } },
      minutes: [minute(NOW - 60_000, { calls: 4, failed: 4 }), minute(NOW, { calls: 2, failed: 2 })],
    }),
  );
  const half = healthSummary(
    status({ backlog: { retrying: 3 }, minutes: [minute(NOW, { calls: 4, failed: 2, delivered: 50 })] }),
  );

  expect(down).toMatchObject({ mood: 'warn', name: 'WebEngage failing' });
  expect(down.line).toContain('3 batches to send again (1 after no answer, 2 after 503).');
  expect(half.name).toBe('Healthy');
});

test('answers by a page, smaller calls and undocumented words are reported as such', () => {
  const { line, also } = healthSummary(
    status({
      backlog: { retrying: 1, byStatus: { '200': 1 } },
      minutes: [minute(NOW, { calls: 2, failed: 2 })],
      gate: { maxCallBytes: 96_000 },
      totals: { unfamiliar: 3 },
    }),
  );

  expect(line).toContain('1 after 200 without WebEngage’s own answer');
  expect(also.join(' ')).toMatch(/kept under 96,000 bytes.*3 calls with an undocumented answer/);
});

test('an outbox on hold for a restore is named', () => {
  expect(healthSummary(status({ gate: { onHold: ['1/0'] } })).also.join(' ')).toContain(
    'On hold for a restore: 1/0.',
  );
});

test('an outbox that does not answer is named', () => {
  const state = healthSummary(
    status({ shards: [shard({ name: '2/0' }), shard({ name: '2/1', unreachable: true })] }),
  );

  expect(state.line).toContain('1 of 2 outboxes does not answer (2/1)');
});

test('dead letters and the secondary key are reported without alarm', () => {
  const state = healthSummary(status({ deadLetters: 1, gate: { key: 'secondary' } }));

  expect(state.name).toBe('Healthy');
  expect(state.also).toEqual([
    expect.stringContaining('replace WEBENGAGE_API_KEY'),
    expect.stringContaining('1 dead letter:'),
  ]);
});

test('unverified records of the last hour are reported without alarm', () => {
  const minutes = [minute(NOW - 3_000_000, { unverified: 40 }), minute(NOW - 60_000, { unverified: 2 })];

  const state = healthSummary(status({ minutes }));

  expect(state.mood).toBe('good');
  expect(state.also).toEqual([expect.stringMatching(/^42 records .*without an identity token/)]);
});

test('plan violations are reported for an hour', () => {
  const kind = { of: 'Bought', path: 'eventData.Price', rule: 'is not in the tracking plan', count: 9 };
  const seen = (lastAt: number) =>
    healthSummary(status({ trackingPlan: { mode: 'report', kinds: [{ ...kind, lastAt }], others: 0 } }));

  expect(seen(NOW - 3_599_000)).toMatchObject({
    mood: 'good',
    also: ['Records of the last hour violated the tracking plan in 1 way: they are listed below.'],
  });
  expect(seen(NOW - 3_600_000).also).toEqual([]);
});

test('an unreachable relay is reported with the age of the figures', () => {
  expect(outOfReach('The relay has not answered in 15 s.', '02:14:30')).toMatchObject({
    mood: 'lost',
    line: 'The relay has not answered in 15 s. The figures below are from 02:14:30.',
  });
});
