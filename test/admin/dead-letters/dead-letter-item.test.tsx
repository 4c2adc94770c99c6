import { expect, test } from 'vitest';
import { DeadLetterItem } from '../../../src/admin/dead-letters/dead-letter-item.tsx';
import type { ListedDeadLetter } from '../../../src/edge/operator/routes.ts';
import { deadLetter } from '../dead-letter.ts';
import { rendered } from '../rendered.ts';
import { NOW } from '../status.ts';

function item(changes: Partial<ListedDeadLetter> = {}) {
  const done: string[] = [];
  const node = rendered(
    <DeadLetterItem
      deadLetter={deadLetter(changes)}
      now={NOW}
      isSelected={false}
      select={(isSelected) => done.push(`select ${isSelected}`)}
      settle={(action) => done.push(action)}
    />,
  );
  return { node, done };
}

test.each([
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '"><svg onload=alert(1)>',
  '{{constructor.constructor("alert(1)")()}}',
  '`<b>code</b>`',
])('text of an attacker is shown as text, in every place: %s', (hostile) => {
  const { node } = item({
    device: hostile,
    words: hostile,
    record: { eventName: hostile, eventData: { [hostile]: hostile } },
  });

  expect(node.querySelector('img, script, svg, b, code')).toBe(null);
  expect(node.querySelector('.name')?.textContent).toBe(hostile);
  expect(node.querySelector('.words')?.textContent).toBe(`400 ${hostile}`);
  const written = JSON.stringify(hostile);
  expect(node.querySelector('pre')?.textContent).toContain(`${written}: ${written}`);
});

test('a user’s record is named by its id', () => {
  const { node } = item({ kind: 'user', record: { anonymousId: 'a1' } });

  expect(node.querySelector('.name')?.textContent).toBe('user a1');
});

test('a name is separate, in its own text direction, with hidden characters escaped', () => {
  const { node } = item({ record: { eventName: 'cod.\u202eexe' } });

  expect(node.querySelector('bdi.name')?.textContent).toBe('cod.\\u202eexe');
  expect(node.querySelector('button')?.getAttribute('aria-label')).toBe('Replay cod.\\u202eexe');
});

test('the buttons of a dead letter name their action and the dead letter', () => {
  const { node, done } = item();

  for (const control of node.querySelectorAll<HTMLElement>('input, button')) control.click();

  expect(
    [...node.querySelectorAll('input, button')].map((control) => control.getAttribute('aria-label')),
  ).toEqual(['Select Added to Cart', 'Replay Added to Cart', 'Discard Added to Cart']);
  expect(done).toEqual(['select true', 'replay', 'discard']);
});
