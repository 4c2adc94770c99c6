import { expect, test } from 'vitest';
import { SCRIPT, section } from './template.ts';

type Api = (...given: unknown[]) => unknown;

// The form that Google's editor writes: a name, and an indented block of code.
const SCENARIOS = section('TESTS')
  .split(/^- name: /m)
  .slice(1)
  .map((text) => {
    const [name = '', block = '', ...lines] = text.split('\n');
    return { name, block, code: lines.map((line) => line.replace(/^ {4}/, '')).join('\n') };
  });

/** Plays the editor's own test functions. https://developers.google.com/tag-platform/tag-manager/templates/tests */
function runScenario(code: string): void {
  const mocks = new Map<string, Api>();
  const called: string[] = [];
  const pure: { readonly [name: string]: unknown } = {
    Object,
    encodeUriComponent: encodeURIComponent,
    getTimestampMillis: () => 0,
    getType: (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value),
    logToConsole: () => {},
    makeNumber: Number,
    makeString: String,
    templateStorage: { getItem: () => null, setItem: () => {} },
  };
  const apiOf = (name: string): unknown =>
    pure[name] ??
    ((...given: unknown[]) => {
      called.push(name);
      return mocks.get(name)?.(...given);
    });
  const runCode = (data: object) => {
    const endings = { gtmOnSuccess: apiOf('gtmOnSuccess'), gtmOnFailure: apiOf('gtmOnFailure') };
    new Function('require', 'data', SCRIPT)(apiOf, { ...data, ...endings });
  };
  const mock = (name: string, fake: Api) => mocks.set(name, fake);
  const assertThat = (actual: unknown) => ({
    isEqualTo: (wanted: unknown) => expect(actual).toEqual(wanted),
  });
  const assertApi = (name: string) => ({
    wasCalled: () => expect(called).toContain(name),
    wasNotCalled: () => expect(called).not.toContain(name),
  });
  new Function('mock', 'runCode', 'assertThat', 'assertApi', code)(mock, runCode, assertThat, assertApi);
}

test('the template has scenarios for the editor of Tag Manager', () => {
  expect(SCENARIOS.length).toBeGreaterThan(3);
});

test.each(SCENARIOS)('the editor’s scenario “$name”', ({ block, code }) => {
  expect(block).toBe('  code: |-');
  runScenario(code);
});
