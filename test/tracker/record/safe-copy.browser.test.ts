import { afterAll, describe, expect, test } from 'vitest';
import { copyObject, type Difference } from '../../../src/tracker/record/safe-copy.ts';
import { writeDate } from '../../../src/tracker/record/write-date.ts';

const frame = document.createElement('iframe');
document.body.append(frame);
const realm = frame.contentWindow as unknown as Readonly<
  Record<string, { new (...of: unknown[]): object }>
> & {
  eval(code: string): unknown;
};

afterAll(() => frame.remove());

function copy(given: unknown) {
  const reported: Difference[] = [];
  const { json } = copyObject({ given }, 'eventData', (difference) => reported.push(difference));
  return { kept: JSON.parse(json).given, paths: reported.map(({ path }) => path) };
}

test.each<[string, () => unknown, unknown]>([
  ['a Date from a frame', () => realm.eval('new Date(0)'), writeDate(0)],
  ['an object from a frame', () => realm.eval('({ a: [1, {}] })'), { a: [1, {}] }],
  [
    'an array from a frame with Prototype.js',
    () => realm.eval('Array.prototype.toJSON = () => "text"; [1, 2]'),
    [1, 2],
  ],
  ['a URL from a frame', () => realm.eval('new URL("https://example.com/a")'), 'https://example.com/a'],
  [
    'a DOMRect',
    () => new DOMRect(1, 2, 3, 4),
    { x: 1, y: 2, width: 3, height: 4, top: 2, right: 4, bottom: 6, left: 1 },
  ],
])('%s is accepted', (_, given, kept) => {
  expect(copy(given())).toEqual({ kept, paths: [] });
});

describe('a platform object that is not data is left out and reported:', () => {
  test.each<[string, () => unknown]>([
    ['a node', () => document.body],
    ['a node that jQuery has marked', () => Object.assign(document.createElement('p'), { jQuery1: 1 })],
    ['a NodeList', () => document.querySelectorAll('*')],
    ['document.all', () => document.all],
    ['the window', () => window],
    ['the window of another origin', () => crossOriginWindow()],
    ['an event', () => new MouseEvent('click')],
    ['a file', () => new File(['a'], 'a.txt')],
    ['a form', () => new FormData()],
    ['an AbortController', () => new AbortController()],
    ['storage', () => localStorage],
    ['the style of a node', () => document.body.style],
    ['a Map from a frame', () => realm.eval('new Map([[1, 2]])')],
    ['a response', () => new Response('a')],
    ['an image', () => new ImageData(1, 1)],
    ['a DOMException', () => new DOMException('no')],
  ])('%s', (_, given) => {
    expect(copy(given())).toEqual({ kept: undefined, paths: ['eventData.given'] });
  });
});

/** A window that throws a SecurityError at whatever is read of it: a sandboxed frame has an origin of its own. */
function crossOriginWindow(): unknown {
  const other = document.createElement('iframe');
  other.sandbox.add('allow-scripts');
  document.body.append(other);
  return other.contentWindow;
}
