import { expect, test } from 'vitest';
import { importReport } from '../../../src/import/read/report.ts';
import type { ImportRow } from '../../../src/import/read/source.ts';

const good = (number: number, repairs?: (ImportRow & { ok: true })['repairs']): ImportRow => ({
  number,
  line: number,
  ok: true,
  kind: 'user',
  person: 'u1',
  json: '{}',
  bytes: 2,
  ...(repairs && { repairs }),
});

const refused = (number: number, ...paths: string[]): ImportRow => ({
  number,
  line: number,
  ok: false,
  issues: paths.map((path) => ({ path, message: 'is required' })),
  row: { secret: 'secret' },
});

test('a report counts rows, and names the first of each reason, the most frequent reason first', () => {
  const report = importReport();

  report.add(good(1));
  report.add(refused(2, 'email'));
  for (let number = 3; number <= 9; number++) report.add(refused(number, 'phone'));
  report.add(refused(10, 'email', 'phone'));
  report.add(good(11, [{ path: 'phone', rule: 'must be E.164', done: 'left_out' }]));

  expect(report.result()).toEqual({
    rows: 11,
    good: 2,
    refused: 9,
    repaired: 1,
    reasons: [
      { path: 'phone', message: 'is required', rows: 8, firstRows: [3, 4, 5, 6, 7] },
      { path: 'email', message: 'is required', rows: 2, firstRows: [2, 10] },
    ],
    repairs: [{ path: 'phone', message: 'must be E.164: left out', rows: 1, firstRows: [11] }],
    otherReasons: 0,
  });
  expect(JSON.stringify(report.result())).not.toContain('secret');
});

test('a report stays small, whatever names the rows make up', () => {
  const report = importReport();
  for (let number = 1; number <= 1_000; number++) report.add(refused(number, `attributes.${number}`));

  const { reasons, otherReasons } = report.result();
  expect([reasons.length, otherReasons]).toEqual([100, 900]);
});
