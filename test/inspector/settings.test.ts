import { expect, test } from 'vitest';
import { element } from '../../src/inspector/element.ts';
import { knownOf } from '../../src/inspector/settings.ts';

const script = (src: string, attributes = {}) => element('script', { src, ...attributes });
const inspector = (attributes = {}) => element('div', attributes);
const TAG = script('https://t.example.com/tracker.js', { 'data-burst': '9' });

test.each([
  [
    'its own attributes',
    { endpoint: 'https://mine.example.com/', burst: '2' },
    [TAG],
    'https://mine.example.com',
    2,
  ],
  ['the tracker’s script tag', {}, [script('https://x.example.com/app.js'), TAG], 'https://t.example.com', 9],
  [
    'what that tag says in place of where it comes from',
    {},
    [script('https://cdn.example.com/tracker.0123456789ab.js', { 'data-endpoint': 'https://t.example.com' })],
    'https://t.example.com',
    5,
  ],
  ['where the inspector itself comes from', {}, [], 'https://own.example.com', 5],
])('a tracker’s settings are known by %s', (_, attributes, scripts, endpoint, burst) => {
  expect(knownOf(inspector(attributes), scripts, 'https://own.example.com')).toMatchObject({
    endpoint,
    burst,
  });
});

test('both numbers of the bucket are read', () => {
  const attributes = { endpoint: 'https://t.example.com', 'requests-per-minute': '120', burst: '10' };

  expect(knownOf(inspector(attributes), [])).toMatchObject({ requestsPerMinute: 120, burst: 10 });
});

test('nothing is known where nothing says where the tracker sends to', () => {
  expect(knownOf(inspector({ burst: '3' }), [script('https://x.example.com/my-tracker.js')])).toBeUndefined();
});

test('an impossible setting is an error that names it, as the tracker has it', () => {
  expect(() => knownOf(inspector({ endpoint: 'https://t.example.com', burst: 'many' }), [])).toThrow(
    'burst must be a whole number from 1 to 100, not NaN',
  );
});
