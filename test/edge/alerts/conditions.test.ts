import { describe, expect, test } from 'vitest';
import { ALERT_NAMES, type AlertName } from '../../../src/edge/alerts/alert.ts';
import {
  type Condition,
  conditionsOf,
  type Findings,
  type WatchedOutbox,
} from '../../../src/edge/alerts/conditions.ts';
import type { QueueWatch } from '../../../src/edge/queue/watch.ts';

const NOW = Date.parse('2026-11-30T03:00:00Z');
const MINUTE = 60_000;
const LIMITS = { lateMs: 15 * MINUTE, staleMs: 5 * MINUTE };

const IDLE: QueueWatch = {
  oldestAt: null,
  stalledSince: null,
  used: 0,
  full: false,
  deadLetters: 0,
  unknown: 0,
};

function outbox(watch: Partial<QueueWatch> = {}, more: Partial<WatchedOutbox> = {}): WatchedOutbox {
  return { name: '1/0', isCurrent: true, watch: { ...IDLE, ...watch }, ...more };
}

const SILENT: WatchedOutbox = { name: '1/0', isCurrent: true, watch: undefined };

const QUIET: Findings = {
  isBroken: false,
  missingBindings: 0,
  outboxes: [outbox()],
  silentBefore: [],
  suspendedBy: null,
  tokensRefused: 0,
};

const found = (findings: Partial<Findings>) => conditionsOf({ ...QUIET, ...findings }, LIMITS, NOW);
const ofOutbox = (watch: Partial<QueueWatch>) => found({ outboxes: [outbox(), outbox(watch)] });
const ago = (ms: number) => NOW - ms;

function levels(conditions: Readonly<Record<AlertName, Condition>>, level: Condition['level']) {
  return ALERT_NAMES.filter((name) => conditions[name].level === level);
}

test('a quiet relay, and one without any outbox, have no condition', () => {
  for (const findings of [QUIET, { ...QUIET, outboxes: [] }])
    expect(levels(conditionsOf(findings, LIMITS, NOW), 'off')).toEqual([...ALERT_NAMES]);
});

test('a busy relay without faults has none either', () => {
  const busy = { oldestAt: ago(2_000), stalledSince: ago(1_000), used: 0.3, unknown: 2 };

  expect(levels(ofOutbox(busy), 'off')).toEqual([...ALERT_NAMES]);
});

describe('an alert is due', () => {
  test.each<[AlertName, Partial<Findings>, object]>([
    ['broken', { isBroken: true, outboxes: [] }, {}],
    ['broken', { isBroken: true, missingBindings: 1, outboxes: [] }, { bindings: 1 }],
    ['suspended', { suspendedBy: 401 }, { status: 401 }],
    ['stale', { outboxes: [outbox({ stalledSince: ago(5 * MINUTE) })] }, { seconds: 300 }],
    ['full', { outboxes: [outbox({ full: true, used: 1 })] }, { outboxes: 1 }],
    ['silent', { outboxes: [SILENT], silentBefore: ['1/0'] }, { outboxes: 1 }],
    ['late', { outboxes: [outbox({ oldestAt: ago(15 * MINUTE) })] }, { seconds: 900 }],
    ['filling', { outboxes: [outbox({ used: 0.8 })] }, { percent: 80 }],
    ['dead_letters', { outboxes: [outbox({ deadLetters: 1 })] }, { records: 1 }],
    ['tokens_refused', { tokensRefused: 20 }, { batches: 20 }],
    ['doubles_possible', { outboxes: [outbox({ unknown: 6 }), outbox({ unknown: 4 })] }, { calls: 10 }],
  ])('%s', (alert, findings, figures) => {
    expect(found(findings)[alert]).toEqual({ level: 'on', figures });
  });
});

describe('an alert is not due', () => {
  test.each<[AlertName, Partial<Findings>]>([
    ['stale', { outboxes: [outbox({ stalledSince: ago(5 * MINUTE - 1) })] }],
    ['tokens_refused', { tokensRefused: 19 }],
    ['doubles_possible', { outboxes: [outbox({ unknown: 9 })] }],
    // An outbox of an earlier number of shards gets no new records.
    ['full', { outboxes: [outbox({ full: true }, { isCurrent: false })] }],
    ['filling', { outboxes: [outbox({ used: 0.99 }, { isCurrent: false })] }],
  ])('%s', (alert, findings) => {
    expect(found(findings)[alert].level).toBe('off');
  });
});

describe('between its two limits an alert neither begins nor ends', () => {
  test.each([
    ['late', 'oldestAt', ago(15 * MINUTE - 1), ago(7.5 * MINUTE), ago(7.5 * MINUTE - 1)],
    ['filling', 'used', 0.799, 0.7, 0.699],
  ] as const)('%s', (alert, figure, below, above, off) => {
    for (const amount of [below, above]) expect(ofOutbox({ [figure]: amount })[alert].level).toBe('between');
    expect(ofOutbox({ [figure]: off })[alert].level).toBe('off');
  });
});

test('one silence may be a deploy, and changes no alert that the outbox could hold up', () => {
  const conditions = found({ outboxes: [SILENT, outbox({ deadLetters: 3 })] });

  expect(conditions.silent.level).toBe('between');
  expect(conditions.dead_letters.level).toBe('on');
  expect(levels(conditions, 'off')).toEqual(['broken', 'suspended', 'tokens_refused']);
});

test('an outbox that is silent after another one was silent does not count as twice', () => {
  expect(found({ outboxes: [SILENT], silentBefore: ['1/1'] }).silent.level).toBe('between');
});

test('a broken relay says nothing about its outboxes, because nobody asked them', () => {
  const conditions = found({ isBroken: true, outboxes: [] });

  expect(levels(conditions, 'on')).toEqual(['broken']);
  expect(levels(conditions, 'off')).toEqual(['suspended', 'tokens_refused']);
});

test('a suspension explains stale records, so it has the only alert at first', () => {
  const stalled = outbox({ stalledSince: ago(6 * MINUTE), oldestAt: ago(6 * MINUTE) });

  expect(levels(found({ suspendedBy: 403, outboxes: [stalled] }), 'on')).toEqual(['suspended']);
});
