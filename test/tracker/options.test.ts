import { expect, test } from 'vitest';
import { resolveOptions, type TrackerOptions } from '../../src/tracker/options.ts';

const endpoint = 'https://t.example.com';

test('the defaults are those of the documentation', () => {
  expect(resolveOptions({ endpoint })).toEqual({
    endpoint,
    batchSize: 25,
    maxWaitMs: 5_000,
    requestsPerMinute: 60,
    burst: 5,
    maxRecords: 10_000,
    maxAgeMs: 604_800_000,
    strict: false,
    skipRepeatedIdentify: true,
    backgroundSync: false,
    consent: 'granted',
    respectGpc: false,
  });
});

test('an option that is undefined is one that was not given', () => {
  const options = { endpoint, batchSize: undefined } as unknown as TrackerOptions;

  expect(resolveOptions(options).batchSize).toBe(25);
});

test('slashes at the end of the endpoint go; a path stays', () => {
  expect(resolveOptions({ endpoint: 'https://example.com/t//' }).endpoint).toBe('https://example.com/t');
});

test.each([
  ['', /endpoint must be an http or https URL/],
  ['/v1', /endpoint/],
  ['ftp://example.com', /endpoint/],
  ['https://example.com?x=1', /endpoint/],
])('endpoint %j is refused', (bad, rule) => {
  expect(() => resolveOptions({ endpoint: bad })).toThrow(rule);
});

test.each([
  [{ batchSize: 26 }, 'batchSize must be a whole number from 1 to 25, not 26'],
  [{ maxWaitMs: 5 }, 'maxWaitMs must be a whole number from 100 to 3600000, not 5'],
  [{ requestsPerMinute: 501 }, 'requestsPerMinute must be a whole number from 1 to 500, not 501'],
  [{ maxAgeMs: 604_800_001 }, 'maxAgeMs must be a whole number from 60000 to 604800000, not 604800001'],
  [{ burst: 1.5 }, 'burst must be a whole number from 1 to 100, not 1.5'],
  [{ maxRecords: Number.NaN }, 'maxRecords must be a whole number from 100 to 1000000, not NaN'],
])('%j is refused by name and rule', (bad, message) => {
  expect(() => resolveOptions({ endpoint, ...bad })).toThrow(new RangeError(message));
});

test('an identity token is what a function answers, and not a token', () => {
  const options = { endpoint, identityToken: 'eyJ' } as unknown as TrackerOptions;

  expect(() => resolveOptions(options)).toThrow('identityToken must be a function, not eyJ');
});

test.each(['Granted', '', true, null])('consent is a word of three, and %j is none of them', (bad) => {
  const options = { endpoint, consent: bad } as unknown as TrackerOptions;

  expect(() => resolveOptions(options)).toThrow(
    new RangeError(`consent must be one of granted, pending, denied, not ${bad}`),
  );
});
