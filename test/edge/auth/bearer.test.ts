import { expect, test, vi } from 'vitest';
import { showsToken } from '../../../src/edge/auth/bearer.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';

test('a token is compared as a whole, in the same time for a wrong one of any length', async () => {
  const compare = vi.spyOn(crypto.subtle, 'timingSafeEqual');

  const shown = await Promise.all(
    [`Bearer ${TOKEN}`, `Bearer ${TOKEN.slice(0, -1)}0`, 'x', '', null].map((it) => showsToken(it, TOKEN)),
  );

  expect(shown).toEqual([true, false, false, false, false]);
  for (const [left, right] of compare.mock.calls)
    expect([left.byteLength, right.byteLength]).toEqual([32, 32]);
  expect(compare).toHaveBeenCalledTimes(5);
  compare.mockRestore();
});

test.each([undefined, '', TOKEN.slice(1), 'x'.repeat(100), '1234567'.repeat(10)])(
  'an unset or guessable token grants nothing: %j',
  async (token) => {
    expect(await showsToken(`Bearer ${token}`, token)).toBe(false);
  },
);

test('a trailing newline, as a pipe leaves it, is not part of a secret', async () => {
  expect(await showsToken(`Bearer ${TOKEN}`, `${TOKEN}\n`)).toBe(true);
});
