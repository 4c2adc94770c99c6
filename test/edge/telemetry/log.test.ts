import { afterEach, expect, test, vi } from 'vitest';
import { logFault } from '../../../src/edge/telemetry/log.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a fault is logged with its kind and place, without its message, even if that looks like a place', () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {});

  logFault('request_failed', new RangeError('what a visitor sent\n    at home (secret.js:1:1)'));
  logFault('request_failed', 'a visitor’s own words');
  logFault('request_failed', new Error(''));

  const lines = logged.mock.calls.map(([line]) => JSON.parse(line));
  expect(lines.map(({ error }) => error)).toEqual(['RangeError', 'string', 'Error']);
  expect(lines.map(({ at: [place] }) => /log\.test/.test(place))).toEqual([true, false, true]);
  expect(JSON.stringify(lines)).not.toMatch(/visitor|secret|home/);
});
