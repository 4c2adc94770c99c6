import { expect, test } from 'vitest';
import { BotRecords } from '../../../src/admin/status/bots.tsx';
import { rendered } from '../rendered.ts';
import { status } from '../status.ts';

const counted = (records: number) => ({
  records,
  refused: 0,
  calls: Math.ceil(records / 25),
  bySign: { user_agent: records, webdriver: 0, cloudflare: 0 },
});

test('the panel shows records by sign, and the calls that they cost', () => {
  const { bots } = status({ bots: { mode: 'refuse', lastHour: counted(30), total: counted(12_000) } });

  const panel = rendered(<BotRecords bots={bots} />);

  const rows = [...panel.querySelectorAll('tbody tr')].map((row) =>
    [...row.children].map(({ textContent }) => textContent),
  );
  expect(rows).toEqual([
    ['by user agent', '30', '12,000'],
    ['by navigator.webdriver', '0', '0'],
    ['by Cloudflare', '0', '0'],
    ['all', '30', '12,000'],
    ['refused', '0', '0'],
    ['calls that all of them cost, or would cost', '2', '480'],
  ]);
  expect(panel.textContent).toContain('BOTS is refuse');
});

test('without bots the panel has no table', () => {
  const panel = rendered(<BotRecords bots={status().bots} />);

  expect(panel.querySelector('table')).toBeNull();
  expect(panel.textContent).toContain('None so far.');
});
