import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ELSEWHERE, ENVIRONMENTS, type Environment, type EnvironmentName } from './environments.ts';
import { named, type Sample, samplesIn } from './markdown.ts';
import { SAMPLES, sample, samplesOf } from './samples.ts';

// Every sample of code is held by the compiler against the types that the package has when it is built. What it does when
// it runs, the tests show that ask for it by its name.

const LANGUAGES = ['ts', 'js'] as const;
type Language = (typeof LANGUAGES)[number];

const samples = [...samplesOf('ts'), ...samplesOf('js')];

/** What must not compile, or nothing has been compiled at all. */
const WRONG = samplesIn('wrong', "```ts\ntracker.trakc('');\n```\n```js\ntracker.trakc('');\n```");

const environmentOf = ({ name }: Sample): EnvironmentName => ELSEWHERE[name] ?? 'page';
const fileOf = (sample: Sample) =>
  `${environmentOf(sample)}-${sample.language}/${sample.name.replace(/\W+/g, '-')}.${sample.language}`;

const folder = mkdtempSync(join(tmpdir(), 'webengage-relay-samples-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** A user's project, in which the package, and what documents tell to install beside it, is found. */
function link(name: string, target = `node_modules/${name}`): void {
  mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
  symlinkSync(resolve(target), join(folder, 'node_modules', name));
}

/** The project of one environment and language. JavaScript is checked for what is there, not for types that it can't write. */
function writeProject(
  { lib, types, given, modules }: Environment,
  environment: EnvironmentName,
  language: Language,
): string {
  const project = `${environment}-${language}`;
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
  const compilerOptions = {
    ...{
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      resolveJsonModule: true,
      lib,
      types,
    },
    ...(language === 'ts' ? strict : { strict: false, allowJs: true, checkJs: true }),
    ...{ skipLibCheck: true, noEmit: true },
  };
  write(`${project}/given.d.ts`, `${given}\nexport {};\n`);
  for (const [name, declared] of Object.entries(modules ?? {}))
    write(`${project}/node_modules/${name}/index.d.ts`, declared);
  write(`${project}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['.'] }));
  return project;
}

/** What the compiler says, by file. */
let errors: ReadonlyMap<string, readonly string[]>;

beforeAll(async () => {
  for (const name of [
    'jose',
    'vanilla-cookieconsent',
    '@types/node',
    'undici-types',
    '@cloudflare/workers-types',
  ])
    link(name);
  link('webengage-relay', '.');
  // Where the relay's entry file imports it from.
  write('tracking-plan.json', sample('docs/guides/tracking-plan.md#the-file json').text);
  const environments = Object.entries(ENVIRONMENTS) as [EnvironmentName, Environment][];
  const projects = environments.flatMap(([name, environment]) =>
    LANGUAGES.map((language) => writeProject(environment, name, language)),
  );
  // Each in a module of its own, whatever it declares.
  for (const sample of [...samples, ...WRONG]) write(fileOf(sample), `${sample.text}\nexport {};\n`);
  write(
    'tsconfig.json',
    JSON.stringify({ files: [], references: projects.map((path) => ({ path: `./${path}` })) }),
  );

  const said = await new Promise<string>((settle) => {
    const tsc = resolve('node_modules/typescript/bin/tsc');
    execFile(process.execPath, [tsc, '--build', '--pretty', 'false'], { cwd: folder }, (_, out) =>
      settle(out),
    );
  });
  const lines = said.split('\n').filter((line) => / error TS\d+: /.test(line));
  errors = Map.groupBy(lines, (line) => line.split('(')[0] ?? '');
}, 60_000);

test.each(samples)('$name compiles', (sample) => {
  expect(errors.get(fileOf(sample)) ?? [], `${sample.document}:${sample.line}`).toEqual([]);
});

test.each(WRONG)('$name does not compile', (sample) => {
  expect(errors.get(fileOf(sample))).toEqual([expect.stringContaining('trakc')]);
});

test('their projects have no other errors', () => {
  const files = [...samples, ...WRONG].map(fileOf);

  expect([...errors].filter(([file]) => !files.includes(file)).flatMap(([, lines]) => lines)).toEqual([]);
});

describe('code that is not for a page', () => {
  test.each(Object.keys(ELSEWHERE))('%s exists', (name) => {
    expect(named(SAMPLES, name).name).toBe(name);
  });
});
