import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Family, openMetrics, plainText } from '../../../src/edge/operator/exposition.ts';
import { readExposition } from '../../fakes/metrics/exposition.ts';

const counter: Family = {
  type: 'counter',
  name: 'relay_calls',
  help: 'Calls, by "outcome".\nC:\\',
  samples: [
    { labels: { outcome: 'taken', sender: 'a "b"\n\\' }, value: 3 },
    { labels: {}, value: 0.5 },
  ],
};
const histogram: Family = {
  type: 'histogram',
  name: 'relay_wait_seconds',
  help: 'Waits.',
  unit: 'seconds',
  bounds: [0.5, 2],
  samples: [{ labels: { outbox: '1/0' }, histogram: { counts: [1, 0, 2], sum: 9.25 } }],
};

test('OpenMetrics names a counter without its suffix, tells units, and ends with EOF', () => {
  expect(openMetrics([counter, histogram])).toBe(
    [
      '# TYPE relay_calls counter',
      '# HELP relay_calls Calls, by \\"outcome\\".\\nC:\\\\',
      'relay_calls_total{outcome="taken",sender="a \\"b\\"\\n\\\\"} 3',
      'relay_calls_total 0.5',
      '# TYPE relay_wait_seconds histogram',
      '# UNIT relay_wait_seconds seconds',
      '# HELP relay_wait_seconds Waits.',
      'relay_wait_seconds_bucket{outbox="1/0",le="0.5"} 1',
      'relay_wait_seconds_bucket{outbox="1/0",le="2.0"} 1',
      'relay_wait_seconds_bucket{outbox="1/0",le="+Inf"} 3',
      'relay_wait_seconds_sum{outbox="1/0"} 9.25',
      'relay_wait_seconds_count{outbox="1/0"} 3',
      '# EOF',
      '',
    ].join('\n'),
  );
});

test('the older format names a counter with its suffix, and leaves quotation marks in a help text', () => {
  expect(plainText([counter]).split('\n').slice(0, 2)).toEqual([
    '# HELP relay_calls_total Calls, by "outcome".\\nC:\\\\',
    '# TYPE relay_calls_total counter',
  ]);
});

describe('a parser reads back', () => {
  const name = fc.stringMatching(/^[a-z][a-z_]{0,20}$/);
  const labels = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/).filter((each) => each !== 'le'),
    fc.string(),
  );
  const value = fc.oneof(
    fc.nat(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((drawn) => drawn + 0),
  );
  const family = fc.record({ name, help: fc.string(), labels, value });

  test.each([
    ['OpenMetrics', openMetrics, ''],
    ['the older format', plainText, '_total'],
  ] as const)('names, labels, values and help texts in %s', (_, write, suffix) => {
    fc.assert(
      fc.property(fc.uniqueArray(family, { selector: (each) => each.name }), (drawn) => {
        const families = drawn.map(
          ({ name, help, labels, value }): Family => ({
            type: 'counter',
            name,
            help,
            samples: [{ labels, value }],
          }),
        );

        const read = readExposition(write(families));

        expect(read.samples).toEqual(
          drawn.map(({ name, labels, value }) => ({ name: `${name}_total`, labels: { ...labels }, value })),
        );
        expect([...read.help]).toEqual(drawn.map(({ name, help }) => [`${name}${suffix}`, help]));
      }),
    );
  });

  test('a histogram: its buckets add up', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 3, maxLength: 3 }), (counts) => {
        const family: Family = {
          type: 'histogram',
          name: 'waits',
          help: '',
          bounds: [1, 2],
          samples: [{ labels: {}, histogram: { counts, sum: 1 } }],
        };
        const [a = 0, b = 0, c = 0] = counts;

        const { samples } = readExposition(openMetrics([family]));

        expect(samples.map(({ value }) => value)).toEqual([a, a + b, a + b + c, 1, a + b + c]);
      }),
    );
  });
});
