import { expect, test } from 'vitest';
import { readSettings } from '../../src/inspector/settings.ts';
import { element } from '../../src/ui/dom.ts';

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
    'data-endpoint of that tag, in place of its src',
    {},
    [script('https://cdn.example.com/tracker.0123456789ab.js', { 'data-endpoint': 'https://t.example.com' })],
    'https://t.example.com',
    5,
  ],
  ['the origin of the inspector’s script', {}, [], 'https://own.example.com', 5],
])('a tracker’s settings are read from %s', (_, attributes, scripts, endpoint, burst) => {
  expect(
    readSettings({ inspector: inspector(attributes), scripts, ownOrigin: 'https://own.example.com' }),
  ).toMatchObject({
    endpoint,
    burst,
  });
});

test.each(['tracker.full.js', 'tracker.full.0123456789ab.js'])('the script may be %s', (name) => {
  const scripts = [script(`https://t.example.com/${name}`, { 'data-burst': '7' })];

  expect(readSettings({ inspector: inspector(), scripts })).toMatchObject({ burst: 7 });
});

test('options on the stub override the script tag, and the inspector’s own attributes override both', () => {
  const options = { endpoint: 'https://stub.example.com', burst: 3, requestsPerMinute: 30 };

  expect(readSettings({ inspector: inspector({ burst: '2' }), scripts: [TAG], options })).toMatchObject({
    endpoint: 'https://stub.example.com',
    burst: 2,
    requestsPerMinute: 30,
  });
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['text', 'x'],
  ['a number', 1],
])('a stub whose options are %s has no settings', (_, options) => {
  expect(readSettings({ inspector: inspector(), scripts: [TAG], options })).toMatchObject({ burst: 9 });
});

test('both numbers of the bucket are read', () => {
  const attributes = { endpoint: 'https://t.example.com', 'requests-per-minute': '120', burst: '10' };

  expect(readSettings({ inspector: inspector(attributes), scripts: [] })).toMatchObject({
    requestsPerMinute: 120,
    burst: 10,
  });
});

test('no settings are known if the page does not say where the tracker sends to', () => {
  expect(
    readSettings({
      inspector: inspector({ burst: '3' }),
      scripts: [script('https://x.example.com/my-tracker.js')],
    }),
  ).toBeUndefined();
});

test('an invalid setting is an error that names it, as in the tracker', () => {
  const many = inspector({ endpoint: 'https://t.example.com', burst: 'many' });

  expect(() => readSettings({ inspector: many, scripts: [] })).toThrow(
    'burst must be from 1 to 100, not NaN',
  );
});
