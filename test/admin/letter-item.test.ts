import { expect, test } from 'vitest';
import { keyedList } from '../../src/edge/public/admin/keyed-list.js';
import { letterItem } from '../../src/edge/public/admin/letter-item.js';
import { recordText } from '../../src/edge/public/admin/record-text.js';
import type { Letter } from '../../src/edge/public/admin/relay.js';
import { letter } from './letter.ts';
import { NOW } from './status.ts';

const HOSTILE = '<img src=x onerror=alert(1)>';

test('what an attacker wrote is text, wherever it stands', () => {
  const item = letterItem(
    letter({
      device: HOSTILE,
      words: HOSTILE,
      record: { eventName: HOSTILE, eventData: { [HOSTILE]: HOSTILE } },
    }),
    NOW,
    { selected() {}, settle() {} },
  );

  expect(item.querySelector('img')).toBe(null);
  expect(item.querySelector('.name')?.textContent).toBe(HOSTILE);
  expect(item.querySelector('.words')?.textContent).toBe(`400 ${HOSTILE}`);
  expect(item.querySelector('pre')?.textContent).toContain(`"${HOSTILE}": "${HOSTILE}"`);
});

test('a user’s record is named by its id', () => {
  const anonymous = letterItem(letter({ kind: 'user', record: { anonymousId: 'a1' } }), NOW, {
    selected() {},
    settle() {},
  });

  expect(anonymous.querySelector('.name')?.textContent).toBe('user a1');
});

test('characters that hide or turn text are written out', () => {
  expect(recordText({ note: 'a\u202eb\u200bc' })).toBe('{\n  "note": "a\\u202eb\\u200bc"\n}');
});

test('the buttons of a letter name what they do, and to which', () => {
  const pressed: unknown[] = [];
  const item = letterItem(letter(), NOW, {
    selected() {},
    settle: (deed, { id }) => pressed.push([deed, id]),
  });

  for (const button of item.querySelectorAll('button')) button.click();

  expect([...item.querySelectorAll('button')].map(({ ariaLabel }) => ariaLabel)).toEqual([
    'Replay Added to Cart',
    'Discard Added to Cart',
  ]);
  expect(pressed).toEqual([
    ['replay', '1/0:17'],
    ['discard', '1/0:17'],
  ]);
});

test('a list leaves alone what stays in it', () => {
  const list = document.createElement('ol');
  const draw = keyedList<Letter>(
    list,
    ({ id }) => id,
    ({ id }) => Object.assign(document.createElement('li'), { id }),
  );
  const ids = () => [...list.children].map(({ id }) => id);
  const three = ['a', 'b', 'c'].map((id) => letter({ id }));

  draw(three);
  const b = list.children[1];
  draw(['b', 'd', 'c'].map((id) => letter({ id })));

  expect(ids()).toEqual(['b', 'd', 'c']);
  expect(list.children[0]).toBe(b);
});
