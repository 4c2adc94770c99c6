import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { types } from '../../../src/cli/types/types.ts';

let folder: string;
let plan: string;
let out: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webengage-relay-types-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  plan = join(folder, 'tracking-plan.json');
  out = join(folder, 'events.ts');
  await rm(out, { force: true });
  await writeFile(plan, '{ "events": { "Signed Out": {} } }');
});

const WRITTEN = `// Made from tracking-plan.json by \`webengage-relay types\`: change it there.

export type ShopEvents = {
  'Signed Out': undefined;
};
`;

async function run(options: Partial<Parameters<typeof types>[0]> = {}) {
  const [said, complained]: string[][] = [[], []];
  const world = {
    say: (text: string) => void said?.push(text),
    complain: (line: string) => void complained?.push(line),
  };
  const code = await types({ plan, name: 'ShopEvents', check: false, ...options }, world);
  return { code, said: said?.join('\n'), complained };
}

test('types are printed', async () => {
  expect(await run()).toEqual({ code: 0, said: WRITTEN.trimEnd(), complained: [] });
});

test('types are written to their file, and an up-to-date file is not touched', async () => {
  const first = await run({ out });
  const { mtimeMs, ino } = await stat(out);
  const again = await run({ out });

  expect(first).toMatchObject({ code: 0, said: `wrote ${out}` });
  expect(again).toMatchObject({ code: 0, said: `${out} is up to date with ${plan}` });
  expect(await readFile(out, 'utf8')).toBe(WRITTEN);
  expect(await stat(out)).toMatchObject({ mtimeMs, ino });
});

test('a check passes only for the text that would be written, with any line endings', async () => {
  const missing = await run({ out, check: true });
  await writeFile(out, WRITTEN.replaceAll('\n', '\r\n'));
  const same = await run({ out, check: true });
  await writeFile(out, WRITTEN.replace('Signed', 'Logged'));
  const other = await run({ out, check: true });

  expect([missing.code, same.code, other.code]).toEqual([1, 0, 1]);
  expect(other.complained).toEqual([
    `${out} is out of date with ${plan}: run webengage-relay types ${plan} --out ${out} --name ShopEvents`,
  ]);
  expect(await readFile(out, 'utf8')).toContain('Logged Out');
});

test.each([
  [
    '{ "events": { "we_x": {}, "A": { "properties": { "p": "text" } } } }',
    /^events\.we_x has a name that must not start with we_$/,
  ],
  ['{ "events": {}, ', /^is not JSON: /],
  ['{ "events": { "A": {}, "A": {} } }', /^events\.A must be given only once$/],
])('an invalid plan is reported by file and rule, and nothing is written: %s', async (text, fault) => {
  await writeFile(plan, text);

  const { code, complained } = await run({ out });

  expect(code).toBe(1);
  expect(complained?.[0]?.replace(`${plan}: `, '')).toMatch(fault);
  await expect(stat(out)).rejects.toThrow('ENOENT');
});

test('a missing plan and an impossible output path are reported', async () => {
  const noPlan = await run({ plan: join(folder, 'none.json') });
  const noPlace = await run({ out: join(folder, 'none', 'events.ts') });

  expect(noPlan).toMatchObject({ code: 1, complained: [expect.stringContaining('does not exist')] });
  expect(noPlace).toMatchObject({ code: 1, complained: [expect.stringContaining('ENOENT')] });
});
