import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../../src/tracker/options.ts';
import { bare } from '../../../src/tracker/record/own-fields.ts';
import { fullSettings } from '../../../src/tracker/script-tag/full-settings.ts';
import { attributeSettings, coreSettings, scriptOrigin } from '../../../src/tracker/script-tag/settings.ts';

/** A script tag with these attributes. */
function tag(attributes: Readonly<Record<string, string>>): HTMLScriptElement {
  const script = document.createElement('script');
  for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
  return script;
}

test('attributes are read as numbers, booleans and text', () => {
  const read = attributeSettings({
    batchSize: '10',
    debug: '',
    strict: 'true',
    backgroundSync: 'false',
    endpoint: 'https://t.example.com',
  });

  expect({ ...read }).toEqual({
    batchSize: 10,
    debug: true,
    strict: true,
    backgroundSync: false,
    endpoint: 'https://t.example.com',
  });
  expect(Object.getPrototypeOf(read)).toBeNull();
  expect({ ...attributeSettings(undefined) }).toEqual({});
});

test.each([
  ['https://t.example.com/tracker.js', 'https://t.example.com'],
  ['https://t.example.com:8443/js/tracker.full.js?v=2#x', 'https://t.example.com:8443'],
  ['http://localhost:8787/tracker.0123456789ab.js', 'http://localhost:8787'],
  ['https://t.example.com/tracker.full.0123456789ab.js', 'https://t.example.com'],
])('%s comes from a relay', (src, origin) => {
  expect(scriptOrigin(tag({ src }))).toBe(origin);
});

test.each([
  '',
  'https://shop.example.com/app.js',
  'https://shop.example.com/my-tracker.js',
  'https://shop.example.com/tracker.min.js',
  'https://shop.example.com/load?src=/tracker.js',
  'https://shop.example.com/#/tracker.js',
  'https://user@shop.example.com/tracker.js',
  'data:text/javascript,//https://t.example.com/tracker.js',
  'blob:https://shop.example.com/tracker.js',
])('%s may come from anywhere', (src) => {
  expect(() => scriptOrigin(tag({ src }))).toThrow('webengageRelay.options = { endpoint }');
});

describe.each([
  ['tracker.js', coreSettings],
  ['tracker.full.js', fullSettings],
])('%s', (_, join) => {
  test('prefers an option of the stub to an attribute of its name', () => {
    const joined = join(
      bare({ endpoint: 'https://a.example', burst: 3, consent: 'granted' }),
      bare({ endpoint: 'https://b.example' }),
    );

    expect({ ...joined }).toEqual({ endpoint: 'https://b.example', burst: 3, consent: 'granted' });
    expect(Object.getPrototypeOf(joined)).toBeNull();
  });

  test.each([
    '{{ consent }}',
    '',
    true,
    'Granted',
    ' granted',
    'constructor',
    null,
    undefined,
    ['granted'],
    0,
  ])('accepts no consent of %j', (consent) => {
    expect(() => join(bare({ burst: 3 }), bare({ consent }))).toThrow('consent');
    expect(() => join(bare({ consent }), bare({ consent: 'granted' }))).toThrow('consent');
  });

  test.each(['{{ gpc }}', undefined, null, 1])('accepts no respectGpc of %j', (respectGpc) => {
    expect(() => join(bare({ burst: 3 }), bare({ respectGpc }))).toThrow('respectGpc');
  });
});

test.each([
  { consent: 'pending' },
  { consent: 'denied' },
  { respectGpc: true },
  { identityToken: 'token' },
  { identityToken: () => '' },
  { strict: true },
])('tracker.js does not start with %j, in either place', (settings) => {
  expect(() => coreSettings(bare(settings), bare({}))).toThrow('needs tracker.full.js');
  expect(() => coreSettings(bare({}), bare(settings))).toThrow('needs tracker.full.js');
});

test('tracker.js starts with a setting that has no effect', () => {
  const off = { consent: 'granted', respectGpc: false, identityToken: undefined, strict: false };

  expect({ ...coreSettings(bare({}), bare(off)) }).toEqual(off);
});

test.each([
  ['granted', 'pending', 'pending'],
  ['pending', 'granted', 'pending'],
  ['denied', 'pending', 'denied'],
  ['granted', 'denied', 'denied'],
  ['granted', 'granted', 'granted'],
])('of %s and %s the stricter consent applies', (consent, other, strictest) => {
  const joined = fullSettings(bare({ consent }), bare({ consent: other }));

  expect(joined.consent).toBe(strictest);
});

test('Global Privacy Control is respected if either place says so', () => {
  const [yes, no] = [bare({ respectGpc: true }), bare({ respectGpc: false })];

  expect(
    [fullSettings(yes, no), fullSettings(no, yes), fullSettings(no, no)].map((all) => all.respectGpc),
  ).toEqual([true, true, false]);
});

// `tracker.full.js` without any is one that has lost them.
test('every option of a tracker counts as a setting of the tag', () => {
  const names = Object.keys(resolveOptions({ endpoint: 'https://t.example.com' }));
  const values = { consent: 'granted', respectGpc: true };

  for (const name of [...names, 'debug', 'identityToken'])
    expect(
      () => fullSettings(bare({ [name]: 'x', ...(name in values && values) }), bare({})),
      name,
    ).not.toThrow();
});

test('settings on the stub are enough, as no tag manager has dropped them', () => {
  const options = bare({ endpoint: 'https://t.example.com', maxWaitMs: 100 });

  expect(fullSettings(bare({}), options)).toMatchObject({ maxWaitMs: 100 });
});

test.each([
  [{}, {}],
  [{ gtmsrc: 'x', cookieconsent: 'statistics' }, {}],
  [{}, { ofAnotherScript: 'x' }],
])('tracker.full.js with %j and %j has lost its settings', (attributes, options) => {
  expect(() => fullSettings(bare(attributes), bare(options))).toThrow('data-consent="granted"');
});

test('names that the page has put on Object.prototype set nothing', () => {
  Object.assign(Object.prototype, { consent: 'pending' });
  const settings = coreSettings(bare({ burst: 3 }), bare({}));
  delete (Object.prototype as { consent?: unknown }).consent;

  expect({ ...settings }).toEqual({ burst: 3 });
});
