import { expect, test, vi } from 'vitest';
import type { Action, Client, Selection } from '../../../src/admin/client.ts';
import { DeadLetters } from '../../../src/admin/dead-letters/dead-letters.tsx';
import { deadLetter } from '../dead-letter.ts';
import { rendered } from '../rendered.ts';
import { NOW } from '../status.ts';

/** The list of a relay that holds these letters, two a page. */
function list(...ids: readonly string[]) {
  let held = ids.map((id) => deadLetter({ id, record: { eventName: `Event ${id}` } }));
  const settled: [Action, Selection][] = [];
  const client: Client = {
    status: async () => ({ kind: 'failed', reason: 'Nobody asks.' }),
    deadLetters: async (after) => {
      const from = held.findIndex(({ id }) => id === after) + 1;
      const deadLetters = held.slice(from, from + 2);
      const next = from + 2 < held.length ? (deadLetters.at(-1)?.id ?? null) : null;
      return { kind: 'ok', body: { deadLetters, next } };
    },
    exportDeadLetters: async () => ({ kind: 'failed', reason: 'Nothing to export.' }),
    testAlerts: async () => ({ kind: 'failed', reason: 'Nobody tests.' }),
    settle: async (action, selection) => {
      settled.push([action, selection]);
      const before = held.length;
      held = held.filter(({ id }) => 'ids' in selection && !selection.ids.includes(id));
      return { kind: 'ok', body: before - held.length };
    },
  };
  let at = NOW;
  const show = () => {
    at += 2_000;
    return rendered(
      <DeadLetters client={client} total={held.length} at={at} onRefused={() => {}} onSettled={show} />,
    );
  };
  const node = show();
  const button = (name: string) =>
    [...node.querySelectorAll('button')].find(
      (each) => (each.getAttribute('aria-label') ?? each.textContent) === name,
    );
  const names = () => [...node.querySelectorAll('.name')].map(({ textContent }) => textContent);
  return { node, button, names, settled, show };
}

test('dead letters are listed page by page, and open ones stay open as the list changes', async () => {
  const { node, button, names, show } = list('1', '2', '3');
  await vi.waitFor(() => expect(names()).toEqual(['Event 1', 'Event 2']));
  const [, second] = node.querySelectorAll('details');
  if (second) second.open = true;

  button('More')?.click();
  await vi.waitFor(() => expect(names()).toEqual(['Event 1', 'Event 2', 'Event 3']));
  button('Replay Event 1')?.click();
  await vi.waitFor(() => expect(names()).toEqual(['Event 2', 'Event 3']));
  show();

  expect(node.querySelector('details')).toBe(second);
  expect(second?.open).toBe(true);
});

test('the focus moves to the report when the pressed button disappears with its dead letter', async () => {
  const { node, button, names } = list('1');
  await vi.waitFor(() => expect(names()).toEqual(['Event 1']));

  button('Replay Event 1')?.click();

  await vi.waitFor(() => expect(document.activeElement).toBe(node.querySelector('[role=status]')));
  expect(document.activeElement?.textContent).toMatch(/^1 replayed/);
});

test('selected dead letters are replayed at once, and discarded only after confirmation', async () => {
  const { node, button, names, settled } = list('1', '2');
  await vi.waitFor(() => expect(names()).toHaveLength(2));
  expect(button('Replay selected')?.disabled).toBe(true);
  node.querySelector<HTMLInputElement>('.select-all input')?.click();
  await vi.waitFor(() => expect(button('Replay 2 selected')?.disabled).toBe(false));

  button('Discard 2 selected')?.click();
  await vi.waitFor(() =>
    expect(node.querySelector('dialog h2')?.textContent).toBe('Discard the 2 selected dead letters?'),
  );
  button('No')?.click();
  await vi.waitFor(() => expect(node.querySelector('dialog')?.open).toBe(false));
  expect(settled).toEqual([]);

  button('Discard 2 selected')?.click();
  await vi.waitFor(() => expect(node.querySelector('dialog')?.open).toBe(true));
  button('Discard')?.click();

  await vi.waitFor(() => expect(settled).toEqual([['discard', { ids: ['1', '2'] }]]));
  await vi.waitFor(() => expect(names()).toEqual([]));
});
