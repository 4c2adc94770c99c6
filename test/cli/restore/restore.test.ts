import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { RestoreOptions } from '../../../src/cli/restore/options.ts';
import { restore } from '../../../src/cli/restore/restore.ts';
import { understood } from '../../fakes/cli/command-line.ts';

const AT = '2026-11-23T15:45:00.000Z';
const TOKEN = 'an-admin-token-of-32-characters-x';
const PREVIEW = { outbox: '1/0', at: AT, onHold: false, lostAtMost: 2, sentTwiceAtMost: 40 };
const REPORT = {
  ...PREVIEW,
  onHold: true,
  sentTwiceAtMost: 4,
  underSameIdAtMost: 3,
  forgotten: 2,
  records: 4,
  deadLetters: 1,
  isNew: false,
  undoBookmark: '00-11',
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A relay that answers each call with the next of these, and what was asked of it. */
async function answering(...answers: (object | number)[]) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push(`${request.url} ${body} ${request.headers.authorization}`);
    const next = answers.shift() ?? 500;
    response.statusCode = typeof next === 'number' ? next : 200;
    response.end(
      JSON.stringify(typeof next === 'number' ? { error: { message: 'on\u001b[2J hold' } } : next),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = async (
    options: Partial<RestoreOptions>,
    env: Record<string, string> = { ADMIN_TOKEN: TOKEN },
  ) => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const given = { relay, outbox: '1/0', adminTokenEnv: 'ADMIN_TOKEN', ...options };
    return { code: await restore(given, { say, complain: say, env }), shown: lines.join('\n') };
  };
  return { asked, relay, run };
}

const call = (path: string, body: object) => `/admin${path} ${JSON.stringify(body)} Bearer ${TOKEN}`;
const dry = call('/restore', { outbox: '1/0', at: AT, dryRun: true });

test('without --yes it shows the cost and restores nothing', async () => {
  const { asked, run } = await answering(PREVIEW);

  const { code, shown } = await run({ at: AT });

  expect(code).toBe(0);
  expect(asked).toEqual([dry]);
  expect(shown).toMatch(/lose at most +2 records/);
  expect(shown).toMatch(/send twice at most +40 records/);
  expect(shown).toContain('Nothing was changed');
});

test('with --yes it shows the cost, restores, and prints the commands that go on and back', async () => {
  const { asked, relay, run } = await answering(PREVIEW, REPORT);

  const { code, shown } = await run({ at: AT, yes: true });

  expect(code).toBe(0);
  expect(asked).toEqual([dry, call('/restore', { outbox: '1/0', at: AT, dryRun: false })]);
  expect(shown.indexOf('would')).toBeLessThan(shown.indexOf('on hold'));
  expect(shown).toMatch(/sent twice at most +4 records, 3 of them/);
  for (const flag of ['--resume', '--undo'])
    expect(shown).toContain(`npx webengage-relay restore --relay ${relay} --outbox 1/0 ${flag}`);
  expect(shown).toContain('00-11');
  expect(shown).not.toContain(TOKEN);
});

test('it restores no outbox that is on hold already, and says what it holds', async () => {
  const { asked, run } = await answering(REPORT);

  const { code, shown } = await run({ at: AT, yes: true });

  expect(code).toBe(1);
  expect(asked).toEqual([dry]);
  expect(shown).toContain('--undo');
});

test('it warns if the outbox may not have existed', async () => {
  const { run } = await answering(PREVIEW, { ...REPORT, isNew: true });

  expect((await run({ at: AT, yes: true })).shown).toContain('may not have existed');
});

test.each(['undo', 'resume'] as const)('--%s asks for nothing else', async (step) => {
  const { asked, run } = await answering({});

  expect((await run({ [step]: true })).code).toBe(0);
  expect(asked).toEqual([call(`/restore/${step}`, { outbox: '1/0' })]);
});

test('a refusal is shown without its control characters, and nothing is restored', async () => {
  const { asked, run } = await answering(400);

  const { code, shown } = await run({ at: AT, yes: true });

  expect(code).toBe(1);
  expect(shown).toBe('the relay answered 400: on [2J hold');
  expect(asked).toHaveLength(1);
});

test('the token stays at home without TLS, and a missing or broken one is named', async () => {
  const { asked, relay, run } = await answering();

  expect(await run({ at: AT, relay: 'http://t.example.com' })).toMatchObject({ code: 2 });
  expect(await run({ at: AT }, {})).toEqual({
    code: 2,
    shown: `the variable ADMIN_TOKEN is not set: it must hold the ADMIN_TOKEN of ${relay}`,
  });
  expect(await run({ at: AT }, { ADMIN_TOKEN: 'a\nb' })).toEqual({
    code: 2,
    shown: 'ADMIN_TOKEN must be printable ASCII without spaces',
  });
  expect(asked).toEqual([]);
});

describe('the command line', () => {
  test('names the relay, one outbox and a moment', async () => {
    const line = `restore --relay t.example.com --outbox 1/0 --at ${AT} -y --admin-token-env TOKEN`;

    expect(await understood(line.split(' '))).toMatchObject({
      command: 'restore',
      options: { relay: 'https://t.example.com', outbox: '1/0', at: AT, yes: true, adminTokenEnv: 'TOKEN' },
    });
  });

  test.each([
    ['restore --outbox 1/0 --undo', '--relay'],
    ['restore --relay t.example.com --undo', '--outbox'],
    ['restore --relay t.example.com --outbox 1/0', 'use one of --at, --undo and --resume'],
    ['restore --relay t.example.com --outbox 1/0 --undo --resume', 'use one of'],
    ['restore --relay t.example.com --outbox 1/0 --undo --yes', '--yes needs --at'],
  ])('%s is refused', async (line, words) => {
    const { code, complained, command } = await understood(line.split(' '));

    expect(code).toBe(2);
    expect(command).toBeUndefined();
    expect(complained).toContain(words);
  });
});
