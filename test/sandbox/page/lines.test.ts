import { expect, test } from 'vitest';
import type { SentRecord } from '../../../src/sandbox/page/client.ts';
import { eventLine, newestFirst } from '../../../src/sandbox/page/lines.ts';

function list() {
  const node = document.createElement('ol');
  const show = newestFirst(node, eventLine);
  const names = () => [...node.querySelectorAll('b')].map(({ textContent }) => textContent);
  return { node, show, names };
}

const events = (...names: readonly string[]): readonly SentRecord[] =>
  names.map((eventName) => ({ userId: 'johndoe', eventName }));

test('new lines appear on top, and open ones stay open', () => {
  const { node, show, names } = list();
  show(events('First', 'Second'));
  const first = node.lastElementChild?.querySelector('details');
  first?.setAttribute('open', '');

  show(events('First', 'Second', 'Third'));

  expect(names()).toEqual(['Third', 'Second', 'First']);
  expect(node.lastElementChild?.querySelector('details')).toBe(first);
});

test('once the sandbox was emptied, no earlier line is left', () => {
  const { show, names } = list();
  show(events('First', 'Second', 'Third'));

  show(events('First', 'Other'));

  expect(names()).toEqual(['Other', 'First']);
});

test('the last hundred of thousands are shown', () => {
  const { show, names } = list();
  const thousands = events(...Array.from({ length: 3_000 }, (_, index) => `Event ${index + 1}`));

  show(thousands);

  expect(names()).toHaveLength(100);
  expect(names()[0]).toBe('Event 3000');
});
