import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  DECLARED,
  needAddress,
  needConsent,
  needDataLayer,
  needGlobal,
  needPermission,
  needQuery,
  needScript,
} from './permissions.ts';
import { allParameters, PARAMETERS, SCRIPT, SECTIONS, section, sectionNames } from './template.ts';

test('the template has the sections of an export, in order', () => {
  expect(sectionNames).toEqual(SECTIONS);
  expect(section('TERMS_OF_SERVICE')).toContain('https://developers.google.com/tag-manager/gallery-tos');
});

test('it is a tag for web containers', () => {
  expect(JSON.parse(section('INFO'))).toMatchObject({
    type: 'TAG',
    id: 'cvt_temp_public_id',
    version: 1,
    containerContexts: ['WEB'],
  });
});

describe('the parameters', () => {
  const declared = allParameters().map(({ name }) => name);

  test('are those that the script reads, each declared once', () => {
    const read = [...SCRIPT.matchAll(/\bdata\.(\w+)/g)].map(([, name = '']) => name);

    expect(declared).toEqual([...new Set(declared)]);
    expect(new Set(read.filter((name) => !/^gtmOn(Success|Failure)$/.test(name)))).toEqual(new Set(declared));
  });

  test('depend on values that other parameters can have', () => {
    const choices = new Map(allParameters().map(({ name, selectItems = [] }) => [name, selectItems]));

    for (const { enablingConditions = [] } of allParameters())
      for (const { paramName, paramValue } of enablingConditions)
        expect(choices.get(paramName)?.map(({ value }) => value)).toContain(paramValue);
  });

  test('have a default that can be chosen', () => {
    const columns = allParameters().flatMap(({ simpleTableColumns = [] }) => simpleTableColumns);

    for (const { name, type, selectItems = [], defaultValue } of [...allParameters(), ...columns])
      if (type === 'SELECT')
        expect(
          selectItems.map(({ value }) => value),
          name,
        ).toContain(defaultValue);
  });

  test('ask for consent by default', () => {
    const defaults = Object.fromEntries(allParameters().map((each) => [each.name, each.defaultValue]));

    expect(defaults).toMatchObject({
      script: 'tracker.full.js',
      consent: 'mode',
      consentType: 'analytics_storage',
    });
  });

  test('offer the choices that the script knows', () => {
    const choices = (parameter: string, column?: string) => {
      const found = allParameters().find(({ name }) => name === parameter);
      const from =
        column === undefined ? found : found?.simpleTableColumns?.find(({ name }) => name === column);
      return (from?.selectItems ?? []).map(({ value }) => value);
    };

    for (const [parameter, column] of [
      ['tagType'],
      ['consentType'],
      ['options', 'name'],
      ['profile', 'name'],
      ['eventNames', 'event'],
    ] as const) {
      const offered = choices(parameter, column);
      expect(offered.length).toBeGreaterThan(1);
      for (const choice of offered) expect(SCRIPT).toContain(`'${choice}'`);
    }
  });

  test('begin with the type of the tag', () => {
    expect(PARAMETERS[0]?.name).toBe('tagType');
  });
});

describe('the permissions', () => {
  // https://developers.google.com/tag-platform/tag-manager/templates/permissions
  const NEEDED: { readonly [api: string]: string } = {
    addConsentListener: 'access_consent',
    callInWindow: 'access_globals',
    copyFromDataLayer: 'read_data_layer',
    copyFromWindow: 'access_globals',
    createQueue: 'access_globals',
    getQueryParameters: 'get_url',
    getReferrerUrl: 'get_referrer',
    getUrl: 'get_url',
    injectScript: 'inject_script',
    isConsentGranted: 'access_consent',
    logToConsole: 'logging',
    readTitle: 'read_title',
    setInWindow: 'access_globals',
    templateStorage: 'access_template_storage',
  };

  test('are exactly those of the APIs that the script requires', () => {
    const required = [...SCRIPT.matchAll(/= require\('(\w+)'\)/g)].map(([, api = '']) => NEEDED[api]);

    expect(new Set(DECLARED.keys())).toEqual(new Set(required.filter((each) => each !== undefined)));
  });

  test('allow exactly the globals that the script names', () => {
    const paths = [...SCRIPT.matchAll(/'(webengageRelay(\.\w+)*)'/g)].map(([, path]) => path);
    const methods = [...SCRIPT.matchAll(/(?:send|sendAndSucceed)\('(\w+)'/g)].map(([, name]) => name);
    const choices = ['optIn', 'optOut'];
    const keys = DECLARED.get('access_globals')?.keys as readonly { readonly key: string }[];

    expect(new Set(keys.map(({ key }) => key))).toEqual(
      new Set([...paths, ...[...methods, ...choices].map((name) => `webengageRelay.${name}`)]),
    );
  });

  test('are enforced by the stand-ins, which throw for anything not declared', () => {
    for (const undeclared of [
      () => needGlobal('dataLayer', 'read'),
      () => needGlobal('webengageRelay.identify', 'read'),
      () => needScript('https://t.example.com/other.js'),
      () => needScript('https://t.example.com/path/tracker.js'),
      () => needScript('http://t.example.com/tracker.js'),
      () => needConsent('other_storage'),
      () => needDataLayer('user'),
      () => needAddress('get_url', undefined),
      () => needAddress('get_url', 'fragment'),
      () => needAddress('get_referrer', 'query'),
      () => needQuery('token'),
      () => needPermission('get_cookies'),
    ])
      expect(undeclared).toThrow('no permission');
  });

  test('let the script write no consent, read no whole address, and log in debug mode only', () => {
    const types = DECLARED.get('access_consent')?.consentTypes;
    expect(types).toEqual(Array(7).fill(expect.objectContaining({ read: true, write: false })));
    for (const address of ['get_url', 'get_referrer'])
      expect(DECLARED.get(address)).toMatchObject({ urlParts: 'specific', queriesAllowed: 'specific' });
    expect(DECLARED.get('get_url')).not.toHaveProperty('fragment');
    expect(DECLARED.get('get_referrer')).not.toHaveProperty('query');
    expect(DECLARED.get('logging')).toEqual({ environments: 'debug' });
  });
});

test('metadata.yaml has the gallery’s fields, with a placeholder for the commit', () => {
  const lines = readFileSync('gtm/metadata.yaml', 'utf8').split('\n');

  expect(lines[0]).toMatch(/^homepage: "https:\/\/.+"$/);
  expect(lines[1]).toMatch(/^documentation: "https:\/\/.+\/docs\/guides\/tag-manager\.md"$/);
  expect(lines[2]).toBe('versions:');
  expect(lines.filter((line) => /^ {2}- sha: [\da-f]{40}$/.test(line))).toHaveLength(1);
  expect(lines.filter((line) => /^ {4}changeNotes: .+$/.test(line))).toHaveLength(1);
});
