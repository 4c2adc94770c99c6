import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const ROOT = 'dist/public';

const files = readdirSync(ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== '_headers')
  .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(ROOT.length));

/** The rules of `_headers`: a path, with or without one `*`, and what is said of it. */
const rules = readFileSync(`${ROOT}/_headers`, 'utf8')
  .trim()
  .split(/\n\n+/)
  .map((rule) => {
    const [path = '', ...lines] = rule.split('\n');
    return { path, headers: lines.map((line) => line.trim().split(/:\s+(.*)/s, 2)) };
  });

/** What is said of a path. Two rules that say one header would be joined by a comma, which no header here survives. */
function headersOf(path: string): Record<string, string> {
  const said: Record<string, string> = {};
  for (const { path: pattern, headers } of rules) {
    const [start = '', end] = pattern.split('*');
    const isMeant =
      end === undefined
        ? path === pattern
        : path.startsWith(start) && path.endsWith(end) && path.length >= start.length + end.length;
    if (isMeant)
      for (const [name = '', value = ''] of headers) {
        expect(said, `${name} of ${path}`).not.toHaveProperty([name.toLowerCase()]);
        said[name.toLowerCase()] = value;
      }
  }
  return said;
}

function policyOf(path: string): Record<string, string> {
  const directives = (headersOf(path)['content-security-policy'] ?? '').split(/;\s*/);
  return Object.fromEntries(directives.map((each) => each.split(/\s+(.*)/s, 2)));
}

const NOTHING = "'none'";

test.each([...files, '/admin', '/admin/'])('%s has its security and cache headers', (path) => {
  expect(headersOf(path)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': path.startsWith('/admin') ? 'same-origin' : 'cross-origin',
  });
  expect(policyOf(path)).toMatchObject({
    'default-src': NOTHING,
    'base-uri': NOTHING,
    'form-action': NOTHING,
    'frame-ancestors': NOTHING,
  });
});

const { url, full } = JSON.parse(readFileSync('dist/integrity.json', 'utf8'));
const pinned: readonly string[] = [url, full.url];

test('only the scripts may be loaded from anywhere', () => {
  const anywhere = files.filter((path) => headersOf(path)['access-control-allow-origin'] === '*');

  expect(anywhere.sort()).toEqual(
    [
      '/inspector.js',
      '/page-views.js',
      '/service-worker.js',
      ...pinned,
      '/tracker.js',
      '/tracker.full.js',
      '/webengage.js',
    ].sort(),
  );
});

test('the scripts read the same in a page of any encoding', () => {
  for (const path of files.filter((each) => /^\/[^/]+\.js$/.test(each)))
    expect(/[^\0-\x7f]/.exec(readFileSync(ROOT + path, 'utf8'))?.[0], path).toBeUndefined();
});

test('only files named by their hash may be cached forever', () => {
  const kept = files.filter((path) => /immutable/.test(headersOf(path)['cache-control'] ?? ''));

  expect(kept.sort()).toEqual(pinned.toSorted());
});

describe('the admin page', () => {
  const page = readFileSync(`${ROOT}/admin/index.html`, 'utf8');

  test('runs its own files alone, and makes no HTML of text', () => {
    expect(policyOf('/admin/')).toEqual({
      'default-src': NOTHING,
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self'",
      'connect-src': "'self'",
      'base-uri': NOTHING,
      'form-action': NOTHING,
      'frame-ancestors': NOTHING,
      'require-trusted-types-for': "'script'",
      'trusted-types': NOTHING,
    });
    expect(headersOf('/admin/')).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
  });

  test('has no script, style or handler that its policy would block', () => {
    const scripts = [...page.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)];

    expect(scripts.map(([, attributes, text]) => [attributes?.trim(), text])).toEqual([
      ['type="module" src="/admin/admin.js"', ''],
    ]);
    expect(page).not.toMatch(/<style|<base|<iframe|\sstyle=|\son\w+=|javascript:|https?:/i);
    const addresses = [...page.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address);
    for (const address of addresses) expect(files).toContain(address);
  });

  // Preact's own code can set `innerHTML`, for who asks for it by `dangerouslySetInnerHTML`: trusted types would stop it.
  test('is made of text and elements alone', () => {
    const sources = readdirSync('src/admin', { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => `src/admin/${file}`);
    for (const path of [...sources, `${ROOT}/admin/admin.js`])
      expect(
        readFileSync(path, 'utf8').replace(path.startsWith(ROOT) ? /innerHTML/gi : '', ''),
        path,
      ).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|srcdoc|\beval\b|new Function|javascript:/i,
      );
  });
});
