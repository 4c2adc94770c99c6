import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutText, lengthRule, utf8Bytes, wellFormed } from '../../../src/contract/rules/text.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 50 });
const halfPairs = fc.string({ unit: fc.constantFrom('a', '\ud800', '\udc00', '😀', 'é'), maxLength: 20 });

test('bytes are counted as an encoder writes them', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const sent = wellFormed(text);

      expect(utf8Bytes(sent)).toBe(new TextEncoder().encode(sent).length);
    }),
  );
});

test('halves of surrogate pairs are found as the platform finds them, and removed', () => {
  fc.assert(
    fc.property(halfPairs, (text) => {
      expect(wellFormed(text)).toBe(text.toWellFormed().replaceAll('\ufffd', ''));
      expect(lengthRule(0, 100)(text) === undefined).toBe(text.isWellFormed());
    }),
  );
});

test('text is cut to fit, and never within a surrogate pair', () => {
  fc.assert(
    fc.property(halfPairs, fc.nat(20), (text, most) => {
      const cut = cutText(text, most);

      expect(lengthRule(0, most)(cut)).toBeUndefined();
      expect(cutText(cut, most)).toBe(cut);
    }),
  );
  expect(cutText('ab😀', 3)).toBe('ab');
  expect(cutText('ab😀', 4)).toBe('ab😀');
});
