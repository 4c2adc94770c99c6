import { expect, test } from 'vitest';
import { keyedList } from '../../src/admin/keyed-list.js';
import { letterItem } from '../../src/admin/letter-item.js';
import { recordText } from '../../src/admin/record-text.js';
import type { Letter } from '../../src/admin/relay.js';
import { letter } from './letter.ts';
import { NOW } from './status.ts';

test.each([
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '"><svg onload=alert(1)>',
  '{{constructor.constructor("alert(1)")()}}',
  '`<b>code</b>`',
])('what an attacker wrote is text, wherever it stands: %s', (HOSTILE) => {
  const item = letterItem(
    letter({
      device: HOSTILE,
      words: HOSTILE,
      record: { eventName: HOSTILE, eventData: { [HOSTILE]: HOSTILE } },
    }),
    NOW,
    { selected() {}, settle() {} },
  );

  expect(item.querySelector('img, script, svg, b, code')).toBe(null);
  expect(item.querySelector('.name')?.textContent).toBe(HOSTILE);
  expect(item.querySelector('.words')?.textContent).toBe(`400 ${HOSTILE}`);
  const written = JSON.stringify(HOSTILE);
  expect(item.querySelector('pre')?.textContent).toContain(`${written}: ${written}`);
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

test.each([
  ['direction turned', 'cod.\u202eexe', 'cod.\\u202eexe'],
  ['direction isolated', 'a\u2067b\u2069', 'a\\u2067b\\u2069'],
  ['a line that breaks', 'Paid\nuser admin', 'Paid\\u000auser admin'],
  ['a terminal’s order', '\u001b[2J\u0000', '\\u001b[2J\\u0000'],
  ['a C1 control', 'a\u009bb', 'a\\u009bb'],
  ['a separator', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['a tag that no font shows', 'a\u{e0041}', 'a\\udb40\\udc41'],
  ['a blank letter', '\u3164', '\\u3164'],
  ['other languages, as they are', 'تمت الإضافة 追加 ❤️', 'تمت الإضافة 追加 ❤️'],
])('a name stands by itself, in its own direction: %s', (_, eventName, shown) => {
  const item = letterItem(letter({ record: { eventName } }), NOW, { selected() {}, settle() {} });

  const name = item.querySelector('bdi.name');
  expect(name?.textContent).toBe(shown);
  expect(item.querySelector('button')?.ariaLabel).toBe(`Replay ${shown}`);
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
