import { expect, test, vi } from 'vitest';
import type { Client } from '../../../src/admin/client.ts';
import { ActiveAlerts } from '../../../src/admin/status/alerts.tsx';
import type { RelayStatus } from '../../../src/edge/operator/relay-status.ts';
import { rendered } from '../rendered.ts';
import { NOW } from '../status.ts';

type Alerts = RelayStatus['alerts'];

const RUNBOOKS = 'https://docs.example/runbooks.md';
const LATE: Alerts['active'][number] = {
  alert: 'late',
  since: NOW - 60_000,
  severity: 'warning',
  title: 'Records are late',
  what: 'The oldest record has waited for 960 seconds.',
  why: 'WebEngage is slow.',
  remedy: 'Look at the calls.',
  link: `${RUNBOOKS}#late`,
};

const show = (alerts: Partial<Alerts>, testAlerts: Client['testAlerts'] = async () => FAILED) => {
  const all = { active: [], destinations: [], runbooks: RUNBOOKS, ...alerts };
  return rendered(<ActiveAlerts client={{ testAlerts } as Client} alerts={all} now={NOW} />);
};
const FAILED = { kind: 'failed', reason: 'The relay answers 503.' } as const;

test('an active alert says what and since when, and links to its runbook', () => {
  const node = show({ active: [LATE] });

  expect(node.textContent).toContain('Records are late, since ');
  expect(node.textContent).toContain('The oldest record has waited for 960 seconds.');
  expect(node.querySelector('a')?.getAttribute('href')).toBe(`${RUNBOOKS}#late`);
});

test('a relay without alerts says so, and what to set', () => {
  const node = show({});

  expect(node.textContent).toContain('No alert is active.');
  expect(node.querySelector('code')?.textContent).toBe('ALERT_WEBHOOK');
  expect(node.querySelector('button')).toBeNull();
});

test.each([
  [null, 0, 'Slack: no message was sent yet.'],
  [{ at: NOW, delivered: true, status: 200 }, 0, 'Slack: the last message arrived at '],
  [{ at: NOW, delivered: false, status: 500 }, 1, 'Slack: the last message failed with 500 at '],
  [{ at: NOW, delivered: false, status: 0 }, 2, 'Slack: the last message failed with no answer at '],
])('a destination shows the outcome of its last message: %j', (last, waiting, text) => {
  const node = show({ destinations: [{ form: 'slack', waiting, last }] });

  expect(node.textContent).toContain(text);
  if (waiting > 0) expect(node.textContent).toContain(`${waiting} message`);
});

test('a test says which destination it reached', async () => {
  const sent = [
    { form: 'pagerduty', delivered: true, status: 202 },
    { form: 'json', delivered: false, status: 404 },
  ] as const;
  const node = show({ destinations: [{ form: 'json', waiting: 0, last: null }] }, async () => ({
    kind: 'ok',
    body: { sent },
  }));

  node.querySelector('button')?.click();

  await vi.waitFor(() =>
    expect(node.querySelector('[role=status]')?.textContent).toBe(
      'PagerDuty: the test arrived. Webhook: the test failed with 404.',
    ),
  );
});

test('a test that the relay does not carry out says why', async () => {
  const node = show({ destinations: [{ form: 'json', waiting: 0, last: null }] });

  node.querySelector('button')?.click();

  await vi.waitFor(() =>
    expect(node.querySelector('[role=status]')?.textContent).toBe('The relay answers 503.'),
  );
});
