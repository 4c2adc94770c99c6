import { expect, test } from 'vitest';
import { Outboxes, Senders } from '../../../src/admin/status/tables.tsx';
import { rendered } from '../rendered.ts';
import { shard, status } from '../status.ts';

const PAGES = { name: null, lane: 'live', accepted: 1_200, duplicates: 3, rejected: 0 } as const;

const cells = (host: HTMLElement) =>
  [...host.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent));

test('lanes and senders are shown once a server has sent something', () => {
  const { lanes } = status();

  expect(rendered(<Senders lanes={lanes} senders={[PAGES]} />).textContent).toBe('');
});

test('the lanes show what waits and for how long, and the senders what became of their records', () => {
  const [live, server] = status().lanes;
  const lanes = [live, server].flatMap((lane) => lane ?? []);
  const imports = { lane: 'import', records: 62_500, oldestAgeMs: 90_000 } as const;
  const crm = { name: 'crm', lane: 'import', accepted: 70_000, duplicates: 25, rejected: 7 } as const;

  const host = rendered(<Senders lanes={[...lanes, imports]} senders={[PAGES, crm]} />);

  expect(cells(host)).toEqual([
    ['pages', '0', '–'],
    ['servers', '0', '–'],
    ['imports', '62,500', '1 min 30 s'],
    ['all pages', 'pages', '1,200', '3', '0'],
    ['crm', 'imports', '70,000', '25', '7'],
  ]);
});

test('several outboxes are shown one by one, in the words of the documents', () => {
  const one = shard({
    name: '2/0',
    records: 7,
    oldestAgeMs: 90_000,
    deadLetters: 1,
    databaseBytes: 2_000_000,
  });

  const host = rendered(<Outboxes shards={[one, shard({ name: '2/1', unreachable: true })]} />);

  expect(host.querySelector('h2')?.textContent).toBe('Outboxes');
  expect(host.querySelector('th')?.textContent).toBe('outbox');
  expect(cells(host)).toEqual([
    ['2/0', '7', '1 min 30 s', '1', '1.9 MiB'],
    ['2/1', 'does not answer'],
  ]);
  expect(rendered(<Outboxes shards={[one]} />).textContent).toBe('');
});
