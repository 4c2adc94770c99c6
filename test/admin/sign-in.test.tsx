import { expect, test } from 'vitest';
import { SignIn } from '../../src/admin/sign-in.tsx';
import { rendered } from './rendered.ts';

test('the token is trimmed, and a refused one is cleared from the field', () => {
  const entered: string[] = [];
  const show = (isTrying: boolean) =>
    rendered(
      <SignIn message="Set `ADMIN_TOKEN`." isTrying={isTrying} enter={(token) => entered.push(token)} />,
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

test('commands in a message are shown as code', () => {
  const node = rendered(
    <SignIn message="Set `ADMIN_TOKEN`, then <b>open</b>." isTrying={false} enter={() => {}} />,
  );

  expect(node.querySelector('[role=alert]')?.innerHTML).toBe(
    'Set <code>ADMIN_TOKEN</code>, then &lt;b&gt;open&lt;/b&gt;.',
  );
});
