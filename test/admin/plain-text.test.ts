import { expect, test } from 'vitest';
import { plainText, recordText } from '../../src/admin/plain-text.ts';

test('characters that hide or turn text are escaped in a record', () => {
  expect(recordText({ note: 'a\u202eb\u200bc' })).toBe('{\n  "note": "a\\u202eb\\u200bc"\n}');
});

test.each([
  ['an override of the text direction', 'cod.\u202eexe', 'cod.\\u202eexe'],
  ['an isolated text direction', 'a\u2067b\u2069', 'a\\u2067b\\u2069'],
  ['a line break', 'Paid\nuser admin', 'Paid\\u000auser admin'],
  ['a terminal’s escape sequence', '\u001b[2J\u0000', '\\u001b[2J\\u0000'],
  ['a C1 control', 'a\u009bb', 'a\\u009bb'],
  ['a separator', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['an invisible tag', 'a\u{e0041}', 'a\\udb40\\udc41'],
  ['a blank letter', '\u3164', '\\u3164'],
  ['other languages, unchanged', 'تمت الإضافة 追加 ❤️', 'تمت الإضافة 追加 ❤️'],
])('hidden characters of a text are escaped: %s', (_, text, shown) => {
  expect(plainText(text)).toBe(shown);
});
