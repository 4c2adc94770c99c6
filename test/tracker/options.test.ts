import { expect, test } from 'vitest';
import { resolveOptions, type TrackerOptions } from '../../src/tracker/options.ts';

const endpoint = 'https://t.example.com';

test('the defaults are the documented ones', () => {
  expect(resolveOptions({ endpoint })).toEqual({
    endpoint,
    batchSize: 25,
    maxWaitMs: 5_000,
    requestsPerMinute: 60,
    burst: 5,
    maxRecords: 10_000,
    maxAgeMs: 604_800_000,
    skipRepeatedIdentify: true,
  });
});

test('an undefined option is not set', () => {
  const options = { endpoint, batchSize: undefined } as unknown as TrackerOptions;

  expect(resolveOptions(options).batchSize).toBe(25);
});

test('trailing slashes of the endpoint are removed, and a path stays', () => {
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
  [{ batchSize: 26 }, 'batchSize must be from 1 to 25, not 26'],
  [{ maxWaitMs: 5 }, 'maxWaitMs must be from 100 to 3600000, not 5'],
  [{ requestsPerMinute: 501 }, 'requestsPerMinute must be from 1 to 500, not 501'],
  [{ maxAgeMs: 604_800_001 }, 'maxAgeMs must be from 60000 to 604800000, not 604800001'],
  [{ burst: 0.5 }, 'burst must be from 1 to 100, not 0.5'],
  [{ maxRecords: Number.NaN }, 'maxRecords must be from 100 to 1000000, not NaN'],
])('%j is refused with name and rule', (bad, message) => {
  expect(() => resolveOptions({ endpoint, ...bad })).toThrow(new RangeError(message));
});

test.each([
  { consent: 'pending' },
  { consent: 'denied' },
  { respectGpc: true },
  { identityToken: () => 'eyJ' },
  { strict: true },
])('%j needs an add-on, and the error names the remedy', (setting) => {
  const [[name, value] = []] = Object.entries(setting);

  expect(() => resolveOptions({ endpoint, ...setting })).toThrow(
    new RangeError(`${name}: ${value} needs tracker.full.js, or its add-on in plugins`),
  );
});

test('a setting without effect needs no add-on', () => {
  const options = { endpoint, consent: 'granted', strict: false };

  expect(resolveOptions(options)).toMatchObject({ endpoint });
});
