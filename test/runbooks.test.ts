import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ALERT_NAMES, RUNBOOKS } from '../src/edge/alerts/alert.ts';
import { REMEDIES } from './game-day/remedies.ts';
import { SCENARIOS } from './game-day/scenarios.ts';
import { tableUnder } from './tables.ts';

const source = (file: string) => readFileSync(file, 'utf8');
const document = source('docs/guides/runbooks.md');

const sections = new Map(
  document
    .split('\n## ')
    .slice(1)
    .map((text) => [text.split('\n')[0] ?? '', text] as const),
);

/** The statuses of /health, besides `ok`. */
const [, union = ''] = /readonly status: ('broken'[^;]*);/.exec(source('src/edge/http/health.ts')) ?? [];
const statuses = [...union.matchAll(/'(\w+)'/g)].map(([, status = '']) => status);

/** The sections to which the admin page's states link. */
const states = [...source('src/admin/status/health-summary.ts').matchAll(/runbook: '(\w+)'/g)].map(
  ([, anchor = '']) => anchor,
);

test('the states are found in the code', () => {
  expect(statuses).toEqual(['broken', 'suspended', 'stale', 'full', 'silent']);
  expect(new Set(states).size).toBeGreaterThanOrEqual(6);
});

describe('the section of the runbooks', () => {
  test.each([...new Set([...ALERT_NAMES, 'test', ...statuses, ...states])])(
    '%s says what you see, why, what to do, and how you know that it is over',
    (name) => {
      const section = sections.get(name) ?? '';

      const labels = [...section.matchAll(/^\*\*([^*]+)\*\*/gm)].map(([, label]) => label);
      expect(labels).toEqual(['You see', 'Why', 'What to do', 'It is over when']);
    },
  );

  test('belongs to an alert or a state that exists', () => {
    const known: readonly string[] = [...ALERT_NAMES, 'test', ...statuses, ...states];

    expect([...sections.keys()].filter((name) => !known.includes(name))).toEqual([]);
  });
});

test('the link of an alert leads to this document in the repository of package.json', () => {
  const { homepage } = JSON.parse(source('package.json'));

  expect(RUNBOOKS).toBe(homepage.replace(/#.*$/, '/blob/main/docs/guides/runbooks.md'));
});

test('every state of the admin page that is not healthy links to a section', () => {
  const summary = source('src/admin/status/health-summary.ts');
  const moods = [...summary.matchAll(/mood: '(bad|warn|busy|lost)'/g)];

  expect(states).toHaveLength(moods.length);
});

describe('the table of limits', () => {
  const rows = new Map(
    tableUnder(document, 'Runbooks').map(([alert = '', ...cells]) => [alert, cells.join(' ')]),
  );
  const row = (name: string) => rows.get(`[${name}](#${name})`) ?? '';
  const conditions = source('src/edge/alerts/conditions.ts');
  const inCode = (text: string, name: string) => Number(new RegExp(`${name} = ([\\d.]+)`).exec(text)?.[1]);

  test('has all alerts, in their order', () => {
    expect([...rows.keys()]).toEqual(ALERT_NAMES.map((name) => `[${name}](#${name})`));
  });

  test('has the limits of the code', () => {
    const filling = [inCode(conditions, 'FILLING_FROM'), inCode(conditions, 'FILLING_TO')];
    expect(row('filling')).toMatch(new RegExp(filling.map((part) => `${part * 100} %`).join('.*')));
    expect(row('tokens_refused')).toContain(`${inCode(conditions, 'MIN_TOKENS_REFUSED')} batches`);
    expect(row('doubles_possible')).toContain(`${inCode(conditions, 'MIN_UNKNOWN_CALLS')} in 5 minutes`);
    expect(inCode(conditions, 'LATE_TO')).toBe(0.5);
  });

  test('has the quiet time of the code, to which counted alerts add the minutes that they count', () => {
    const active = source('src/edge/alerts/active.ts');
    const counted = inCode(source('src/edge/queue/watch.ts'), 'RECENT_MINUTES');
    expect(inCode(source('src/edge/durable-objects/rate-gate.ts'), 'RECENT_MINUTES')).toBe(counted);

    for (const name of ALERT_NAMES) {
      const isCounted = ['dead_letters', 'tokens_refused', 'doubles_possible'].includes(name);
      const minutes = isCounted
        ? inCode(active, 'COUNTED_CLEAR_MS') + counted
        : inCode(active, '\\bCLEAR_MS');
      expect(row(name)).toMatch(new RegExp(isCounted ? `${minutes} minutes` : `${minutes} quiet minutes`));
    }
  });
});

describe('the game day', () => {
  const firing = (list: readonly { readonly name: string; readonly withinMinutes: number }[]) =>
    list
      .map(({ name, withinMinutes }) => `${name.replace('WebEngageRelay', '…')} ${withinMinutes}`)
      .join('<br>');

  test('is documented fault by fault, as it is played', () => {
    expect(tableUnder(source('docs/guides/alerts.md'), 'Game day')).toEqual(
      SCENARIOS.map(({ fault, minutes, alerts, rules }) => [
        fault,
        `${minutes}`,
        firing(alerts),
        firing(rules),
      ]),
    );
  });

  test.each(Object.entries(REMEDIES))('and its remedy for %s is that of the runbook', (alert, remedy) => {
    const [, advice = ''] = /\*\*What to do\*\*(.*?)\*\*It is over/s.exec(sections.get(alert) ?? '') ?? [];

    const words = advice
      .replaceAll(/`|\[|\]\([^)]*\)/g, '')
      .replaceAll(/\s+/g, ' ')
      .toLowerCase();
    expect(words).toContain(remedy.toLowerCase());
  });
});
