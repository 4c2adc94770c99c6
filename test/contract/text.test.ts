import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textFault, toWellFormed, utf8Bytes } from '../../src/contract/text.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 50 });
const halfPairs = fc.string({ unit: fc.constantFrom('a', '\ud800', '\udc00', '😀', 'é'), maxLength: 20 });

test('bytes are counted as an encoder writes them', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const wellFormed = toWellFormed(text);

      expect(utf8Bytes(wellFormed)).toBe(new TextEncoder().encode(wellFormed).length);
    }),
  );
});

test('halves of surrogate pairs are replaced as the platform replaces them', () => {
  fc.assert(
    fc.property(halfPairs, (text) => {
      expect(toWellFormed(text)).toBe(text.toWellFormed());
      expect(textFault(text, 100) === undefined).toBe(text.isWellFormed());
    }),
  );
});
