import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorker } from '../../../src/cli/dev/local-worker.ts';
import { probe } from '../../../src/cli/probe/probe.ts';
import { parseProfile } from '../../../src/cli/probe/profile.ts';
import { sandboxOrder } from '../../../src/cli/probe/sandbox-order.ts';
import { playedPipe } from '../../fakes/cli/operator.ts';
import { sample } from '../../samples/samples.ts';
import { freePort } from '../free-port.ts';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;
let scratch: string;

beforeAll(async () => {
  [stack, scratch] = await Promise.all([startStack(), mkdtemp(join(tmpdir(), 'webengage-relay-cli-'))]);
});

afterAll(async () => {
  await stack?.stop();
  await rm(scratch, { recursive: true, force: true });
});

beforeEach(() => stack.order({}));

type Ended = { readonly code: number | null; readonly said: string; readonly complained: string };

/** Runs a program to its end, with nobody at its terminal. */
async function end(
  program: string,
  args: readonly string[],
  { cwd = '.', env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [resolve(program), ...args], {
    cwd,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complained += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, said, complained };
}

const cli = (args: readonly string[], env: Record<string, string> = {}) => end('dist/cli.js', args, { env });

/** What the doctor says of a relay, with the token that is its operator's. */
const doctor = (url: string, ...args: string[]) =>
  cli(['doctor', url, '--admin-token-env', 'TOKEN', ...args], { TOKEN: stack.adminToken });

const marks = (said: string) => said.split('\n').map((line) => line[0] ?? '');

test('an unknown command ends with 2 and writes its message to stderr', async () => {
  const { code, said, complained } = await cli(['dploy']);

  expect(code).toBe(2);
  expect(said).toBe('');
  expect(complained).toContain("unknown command 'dploy'");
});

test('the doctor finds nothing wrong with a running relay, and leaves nothing there', async () => {
  const { code, said } = await doctor(stack.relayUrl, '--origin', stack.siteUrl);

  expect(said).not.toContain('✗');
  expect(said).toContain(`✓ pages of ${stack.siteUrl} may send`);
  expect(said).toMatch(/✓ \/tracker\.js is from version/);
  expect(said).toContain('✓ /tracker.js may be cached for 300 s');
  expect(said).toContain('✓ sites that are not allowed are refused');
  expect(said).toContain('✓ no records are waiting');
  // No TLS on this machine; and nothing has been sent yet.
  expect(marks(said).filter((mark) => mark === '!')).toHaveLength(2);
  expect(code).toBe(0);
  const status = await fetch(`${stack.relayUrl}/admin/status`, {
    headers: { Authorization: `Bearer ${stack.adminToken}` },
  });
  expect((await status.json()).totals).toMatchObject({ accepted: 0, rejected: 0 });
});

test('a site that may not send is reported with the flag of dev that allows it', async () => {
  const { code, said } = await doctor(stack.relayUrl, '--origin', 'https://other.example.com');

  expect(code).toBe(1);
  expect(said).toMatch(
    /✗ pages of https:\/\/other\.example\.com may not send → .*--origins https:\/\/other\.example\.com/,
  );
});

test('the JSON output says the same', async () => {
  const { code, said } = await doctor(stack.relayUrl, '--origin', 'https://other.example.com', '--json');

  expect(code).toBe(1);
  const { ok, checks } = JSON.parse(said);
  expect(ok).toBe(false);
  expect(checks).toContainEqual(expect.objectContaining({ name: 'origin', verdict: 'bad' }));
});

test('a wrong token is reported, and a missing one is a usage error', async () => {
  const wrong = await cli(['doctor', stack.relayUrl, '--admin-token-env', 'TOKEN'], {
    TOKEN: 'a-token-that-is-not-the-operators-own',
  });
  const missing = await cli(['doctor', stack.relayUrl, '--admin-token-env', 'NO_SUCH_VARIABLE']);

  expect(wrong.code).toBe(1);
  expect(wrong.said).toContain('✗ /admin does not accept the token');
  expect(missing.code).toBe(2);
  expect(missing.complained).toContain('NO_SUCH_VARIABLE');
});

test('an unreachable relay is reported', async () => {
  const { code, said } = await cli(['doctor', `http://127.0.0.1:${await freePort()}`]);

  expect(code).toBe(1);
  expect(said).toMatch(/^✗ .* does not answer \(ECONNREFUSED\) → .*\n$/);
});

test('the admin token is sent over https only', async () => {
  const { code, complained } = await doctor('http://t.example.com');

  expect(code).toBe(2);
  expect(complained).toContain('only sent over https');
});

test('a relay of another version, with another script, is reported as such', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const older = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    const answer = await fetch(`${stack.relayUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { Origin: request.headers.origin ?? '', 'Content-Type': 'text/plain' },
      ...(body.length > 0 && { body: Buffer.concat(body) }),
    });
    const text = (await answer.text()).replace(/"version":"[^"]+"/, '"version":"0.0.1"');
    const {
      date: _,
      'content-encoding': __,
      'content-length': ___,
      ...headers
    } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, headers).end(request.url === '/tracker.js' ? `${text} ` : text);
  }).listen(Number(new URL(url).port), '127.0.0.1');
  await once(older, 'listening');

  const { code, said } = await cli(['doctor', url, '--origin', stack.siteUrl]);
  older.close();

  expect(code).toBe(0);
  expect(said).toMatch(/! the relay is 0\.0\.1, this tool is .* → use npx webengage-relay@0\.0\.1 doctor/);
  expect(said).toContain('! /tracker.js differs from that of');
});

test('a missing setting is reported by its name', async () => {
  const unset = await startWorker({
    config: 'wrangler.jsonc',
    port: await freePort(),
    vars: { WEBENGAGE_API_KEY: stack.apiKey, ALLOWED_ORIGINS: stack.siteUrl },
    persistTo: join(scratch, 'unset'),
  });

  const { code, said } = await cli(['doctor', unset.url, '--origin', stack.siteUrl]);
  await unset.stop();

  expect(code).toBe(1);
  expect(said).toMatch(/✗ \/health: WEBENGAGE_LICENSE_CODE must be set.* → set WEBENGAGE_LICENSE_CODE in/);
});

test('a key that WebEngage refuses is reported, with the suspension it causes', async () => {
  await stack.order({ acceptKeys: [] });
  const event = {
    kind: 'event',
    id: `${randomBytes(16).toString('base64url')}.1`,
    userId: 'a',
    eventName: 'Sent',
  };
  await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    headers: { Origin: stack.siteUrl },
    body: JSON.stringify({ v: 1, device: randomUUID(), records: [event] }),
  });
  const health = async () => (await fetch(`${stack.relayUrl}/health`)).status;
  await expect.poll(health, { timeout: 20_000 }).toBe(503);

  const { code, said } = await doctor(stack.relayUrl);

  expect(code).toBe(1);
  expect(said).toMatch(/✗ \/health: WebEngage answers 401 to every call/);
  expect(said).toMatch(
    /✗ WebEngage has answered 401 to every call since .* → run npx wrangler secret put WEBENGAGE_API_KEY/,
  );
  expect(said).toContain('1 record waits');
});

describe('init', () => {
  const init = (dir: string, args: readonly string[], env: Record<string, string> = {}) =>
    cli(['init', dir, '--license', stack.licenseCode, '--origins', stack.siteUrl, ...args], env);

  /** Puts the package, as npm would publish it, and what it depends on into a folder's node_modules. */
  async function install(dir: string): Promise<void> {
    const modules = join(dir, 'node_modules');
    await mkdir(modules, { recursive: true });
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch];
    const { stdout } = await promisify(execFile)('npm', pack, { encoding: 'utf8' });
    const [{ filename }] = JSON.parse(stdout);
    await promisify(execFile)('tar', ['-xzf', join(scratch, filename), '-C', modules]);
    await rename(join(modules, 'package'), join(modules, 'webengage-relay'));
    const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
    for (const name of [...Object.keys(dependencies), 'wrangler'])
      await symlink(resolve('node_modules', name), join(modules, name));
  }

  test('writes a project that can be deployed and runs, and the doctor finds nothing wrong with it', async () => {
    const dir = join(scratch, 'project');
    await install(dir);
    const installed = join(dir, 'node_modules/webengage-relay/dist/cli.js');
    const flags = ['--license', stack.licenseCode, '--origins', stack.siteUrl, '--no-secrets'];
    expect(await end(installed, ['init', ...flags], { cwd: dir })).toMatchObject({ code: 0, complained: '' });

    const deployed = await end('node_modules/wrangler/bin/wrangler.js', ['deploy', '--dry-run'], {
      cwd: dir,
    });
    expect(deployed).toMatchObject({ code: 0, said: expect.stringContaining('env.OUTBOX') });
    expect(deployed.complained).toBe('');

    const relay = await startWorker({
      config: join(dir, 'wrangler.jsonc'),
      port: await freePort(),
      vars: {
        WEBENGAGE_API_KEY: stack.apiKey,
        WEBENGAGE_HOST: 'http://127.0.0.1:9',
        ADMIN_TOKEN: stack.adminToken,
      },
      persistTo: join(scratch, 'project-state'),
    });
    const { code, said } = await doctor(relay.url, '--origin', stack.siteUrl);
    await relay.stop();
    expect(said).not.toContain('✗');
    expect(said).toContain(`✓ pages of ${stack.siteUrl} may send`);
    expect(said).toMatch(/✓ \/tracker\.js is from version/);
    expect(said).toContain('✓ the outbox accepts records');
    expect(code).toBe(0);
  });

  test('docs/guides/deploying.md makes by hand a project that can be deployed and runs', async () => {
    const dir = join(scratch, 'by-hand');
    await install(dir);
    const commands = sample('docs/guides/deploying.md#by-hand sh').text.split('\n');
    // The package is there already; and so is the folder.
    const inIt = commands.filter((line) => !line.startsWith('npm install') && !line.endsWith('cd my-relay'));
    await mkdir(join(dir, 'src'));
    await promisify(execFile)('bash', ['-ec', inIt.join('\n')], { cwd: dir });
    const config = join(dir, 'wrangler.jsonc');
    const edited = (await readFile(config, 'utf8'))
      .replace('src/edge/worker.ts', 'src/worker.js')
      .replace('"./dist/public"', '"./node_modules/webengage-relay/dist/public"');
    await writeFile(config, edited);

    const deployed = await end('node_modules/wrangler/bin/wrangler.js', ['deploy', '--dry-run'], {
      cwd: dir,
    });

    expect(inIt.length).toBeGreaterThan(1);
    expect(deployed).toMatchObject({ code: 0, complained: '', said: expect.stringContaining('env.OUTBOX') });
  });

  test('docs/guides/tracking-plan.md makes a project that checks records against the plan', async () => {
    const dir = join(scratch, 'planned');
    await install(dir);
    const installed = join(dir, 'node_modules/webengage-relay/dist/cli.js');
    const flags = ['--license', stack.licenseCode, '--origins', stack.siteUrl, '--no-secrets'];
    await end(installed, ['init', ...flags], { cwd: dir });
    await writeFile(
      join(dir, 'tracking-plan.json'),
      sample('docs/guides/tracking-plan.md#the-file json').text,
    );
    await writeFile(join(dir, 'src/worker.js'), sample('docs/guides/tracking-plan.md#at-the-relay js').text);
    const ofTypes = ['types', '--out', 'src/events.ts', '--name', 'ShopEvents'];

    const written = await end(installed, ofTypes, { cwd: dir });
    const checked = await end(installed, [...ofTypes, '--check'], { cwd: dir });
    expect([written.code, checked.code]).toEqual([0, 0]);
    expect(await readFile(join(dir, 'src/events.ts'), 'utf8')).toBe(
      sample('docs/guides/tracking-plan.md#the-types ts').text,
    );

    const relay = await startWorker({
      config: join(dir, 'wrangler.jsonc'),
      port: await freePort(),
      vars: {
        WEBENGAGE_API_KEY: stack.apiKey,
        WEBENGAGE_HOST: 'http://127.0.0.1:9',
        TRACKING_PLAN: 'enforce',
      },
      persistTo: join(scratch, 'planned-state'),
    });
    const records = ['Signed Out', 'Signed out'].map((eventName, index) => ({
      kind: 'event',
      id: `k3J9xQ7mPz0aBcDeFgHi1_.${index + 1}`,
      userId: 'a',
      eventName,
    }));
    const answer = await fetch(`${relay.url}/v1/batch`, {
      method: 'POST',
      headers: { Origin: stack.siteUrl },
      body: JSON.stringify({ v: 1, device: randomUUID(), records }),
    });
    const results = await answer.json();
    await relay.stop();
    expect(results).toMatchObject({
      accepted: 1,
      rejected: [
        { id: records[1]?.id, issues: [{ path: 'eventName', message: 'is not in the tracking plan' }] },
      ],
    });
  });

  test.each([
    ['the right key', {}, 0, 'refuses the empty call, not the key'],
    ['a wrong key', { acceptKeys: [] }, 1, 'the key is wrong'],
    ['a key that is forbidden', { acceptKeys: [], wrongKey: 403 }, 1, 'the key is wrong'],
    ['a wrong license code', { license: '~another' }, 1, 'the license code or the region is wrong'],
    // What no document rules out, and the tool says so.
    [
      'a wrong license code, answered by 400',
      { license: '~another', wrongLicense: 400 },
      0,
      'compare the code',
    ],
    ['WebEngage down', { fault: 'down' }, 0, 'the key could not be checked'],
  ])('%s is found by one call, before anything is written', async (_, order, code, words) => {
    const dir = join(scratch, randomUUID());
    await stack.empty();
    await stack.order(order);

    const ended = await init(dir, ['--no-secrets', '--check-key'], {
      WEBENGAGE_API_KEY: stack.apiKey,
      WEBENGAGE_HOST: stack.sandboxUrl,
    });

    expect(code === 0 ? ended.said : ended.complained).toContain(words);
    expect(ended.said + ended.complained).not.toContain(stack.apiKey);
    expect(ended.code).toBe(code);
    expect(existsSync(dir)).toBe(code === 0);
    expect(await stack.received()).toEqual({ users: [], events: [] });
  });
});

describe('probe', () => {
  const account = (apiKey: string) => ({ WEBENGAGE_API_KEY: apiKey, WEBENGAGE_HOST: stack.sandboxUrl });

  test('at a wrong key it stops after one call, with the remedy', async () => {
    const out = join(scratch, 'never.json');

    const { code, said, complained } = await cli(
      ['probe', '--yes', '--license', stack.licenseCode, '--out', out],
      account('another-key'),
    );

    expect(code).toBe(1);
    expect(said).toContain('relay-probe-');
    expect(complained).toContain('WebEngage answers 401');
    expect(complained).toContain('Bulk calls made: 1');
    expect(existsSync(out)).toBe(false);
  });

  test('the running sandbox has the switches that the profile names', async () => {
    const order = {
      success: 201,
      invalid: 'drops_record',
      dateForms: { z: 'accepted', colon: 'dropped', milliseconds: 'accepted', epoch: 'dropped' },
      nulls: 'dropped',
      rcsOptIn: 'ignored',
      tooMany: 'cut',
      empty: 'accepted',
      idempotency: 'ignored',
      reusedRequestId: 'swallowed',
      limit: 'separate',
      requestsPerMinute: 1_000,
      rateHeaders: 'sent',
      maxBodyBytes: 102_400,
      portability: 'profile_and_events',
    };
    await stack.order(order);
    const out = join(scratch, 'webengage-profile.json');

    // As the command is run, but without its waits.
    const code = await probe(
      { license: stack.licenseCode, region: 'global', out, yes: true },
      {
        ...playedPipe(),
        env: account(stack.apiKey),
        wait: async () => undefined,
        now: Date.now,
        fetch,
        signal: new AbortController().signal,
      },
    );

    expect(code).toBe(0);
    const read = parseProfile(await readFile(out, 'utf8'));
    expect(read.ok && sandboxOrder(read.profile.answers)).toEqual(order);
  });
});
