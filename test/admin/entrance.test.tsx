import { expect, test } from 'vitest';
import { Entrance } from '../../src/admin/entrance.tsx';
import { rendered } from './rendered.ts';

test('the token is handed on without blanks around it, and a refused one is taken out of the field', () => {
  const entered: string[] = [];
  const show = (isTrying: boolean) =>
    rendered(
      <Entrance message="Set `ADMIN_TOKEN`." isTrying={isTrying} enter={(token) => entered.push(token)} />,
    );
  const node = show(false);
  const field = node.querySelector('input');
  if (field) field.value = ' a token ';

  node.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }));
  show(true);
  expect(field?.value).toBe(' a token ');
  show(false);

  expect(entered).toEqual(['a token']);
  expect(field?.value).toBe('');
  expect(document.activeElement).toBe(field);
});

test('commands in a message stand as code', () => {
  const node = rendered(
    <Entrance message="Set `ADMIN_TOKEN`, then <b>open</b>." isTrying={false} enter={() => {}} />,
  );

  expect(node.querySelector('[role=alert]')?.innerHTML).toBe(
    'Set <code>ADMIN_TOKEN</code>, then &lt;b&gt;open&lt;/b&gt;.',
  );
});
