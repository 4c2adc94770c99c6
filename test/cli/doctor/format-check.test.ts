import { expect, test } from 'vitest';
import { lineOf, wantsColor } from '../../../src/cli/doctor/format-check.ts';

test('a check is one line: mark, finding, remedy', () => {
  expect(lineOf({ name: 'tls', verdict: 'good', says: 'fine' }, false)).toBe('✓ fine');
  expect(lineOf({ name: 'tls', verdict: 'bad', says: 'broken', todo: 'mend it' }, false)).toBe(
    '✗ broken → mend it',
  );
  expect(lineOf({ name: 'tls', verdict: 'unsure', says: 'odd', todo: 'look' }, false)).toBe('! odd → look');
});

test('only the mark has a color', () => {
  expect(lineOf({ name: 'tls', verdict: 'good', says: 'fine' }, true)).toBe('\u001b[32m✓\u001b[39m fine');
});

test('text from the other side can’t control the terminal', () => {
  const says = 'a\u001b]0;title\u0007b\r\nc\u202ed';

  expect(lineOf({ name: 'health', verdict: 'bad', says, todo: 'look' }, false)).toBe(
    '✗ a ]0;title b c d → look',
  );
});

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: true }, { NO_COLOR: '' }, true],
  [{ isTTY: true }, { NO_COLOR: '1' }, false],
  [{ isTTY: true }, { TERM: 'dumb' }, false],
  [{}, {}, false],
])('an output %j with %j has colors: %j', (output, env, colors) => {
  expect(wantsColor(output, env)).toBe(colors);
});
