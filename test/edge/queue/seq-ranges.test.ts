import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addSeqs, formatSeqs, hasSeq, parseSeqs, type Seqs } from '../../../src/edge/queue/seq-ranges.ts';

const flushes = fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 25 }), {
  maxLength: 20,
});

test('exactly the added numbers are known, in any order and with any repeats', () => {
  fc.assert(
    fc.property(flushes, (added) => {
      const known = new Set(added.flat());

      const seqs = added.reduce<Seqs>((sum, flush) => parseSeqs(formatSeqs(addSeqs(sum, flush))), []);

      for (let seq = 0; seq <= 61; seq++) expect(hasSeq(seqs, seq)).toBe(known.has(seq));
    }),
  );
});

test('consecutive numbers take one interval, however many there are', () => {
  const seqs = Array.from({ length: 400 }, (_, flush) =>
    Array.from({ length: 25 }, (_, i) => flush * 25 + i + 1),
  );

  expect(formatSeqs(seqs.reduce<Seqs>(addSeqs, []))).toBe('1-10000');
  expect(formatSeqs(addSeqs(parseSeqs('1-25'), [27]))).toBe('1-25,27');
  expect(formatSeqs(addSeqs(parseSeqs('1-25,27'), [26]))).toBe('1-27');
});
