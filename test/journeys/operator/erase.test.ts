import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADDED_TO_CART } from '../../fakes/records.ts';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ lingerMs: 0 });
});

afterAll(() => stack?.stop());

const newSession = (): string => randomUUID().replaceAll('-', '').slice(0, 22);

async function post(...userIds: readonly string[]): Promise<Record<string, unknown>> {
  const session = newSession();
  const records = userIds.map((userId, at) => ({
    kind: 'event',
    id: `${session}.${at + 1}`,
    ...ADDED_TO_CART,
    userId,
  }));
  const response = await fetch(`${stack.relayUrl}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ v: 1, sentAt: new Date().toISOString(), device: randomUUID(), records }),
    headers: { Origin: stack.siteUrl, 'Content-Type': 'text/plain;charset=UTF-8' },
  });
  expect(response.status).toBe(202);
  return response.json() as Promise<Record<string, unknown>>;
}

/** Runs the command of the built package, with ids in its standard input. */
async function erase(ids: string, ...flags: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['dist/cli.js', 'erase', '--relay', stack.relayUrl, '--user-id', '-', '--json', ...flags],
    { env: { ...process.env, ADMIN_TOKEN: stack.adminToken }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  child.stdin.end(ids);
  let [said, complained] = ['', ''];
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complained += chunk;
  });
  const [code] = await once(child, 'close');
  const receipts = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { code, receipts, complained };
}

const usersAtWebEngage = async () => (await stack.received()).events.map(({ userId }) => userId);

test('a person is erased from a running relay and from WebEngage, also after it was killed, and nobody else is', async () => {
  await post('johndoe', 'ada');
  await expect.poll(usersAtWebEngage, { timeout: 20_000 }).toEqual(['johndoe', 'ada']);
  // Refused records wait as dead letters.
  await stack.order({ refuse: { field: 'eventName', value: ADDED_TO_CART.eventName } });
  await post('johndoe', 'ada');
  const deadLetters = async () => {
    const headers = { Authorization: `Bearer ${stack.adminToken}` };
    const page = await fetch(`${stack.relayUrl}/admin/dead-letters`, { headers });
    const { deadLetters: listed } = (await page.json()) as {
      deadLetters: { record: { userId: string } }[];
    };
    return listed.map(({ record }) => record.userId).sort();
  };
  await expect.poll(deadLetters, { timeout: 30_000 }).toEqual(['ada', 'johndoe']);
  await stack.order({});

  const { code, receipts, complained } = await erase('johndoe\n', '--upstream');

  expect([code, complained]).toEqual([0, '']);
  expect(receipts).toMatchObject([
    {
      line: 1,
      complete: true,
      erased: { waiting: 0, deadLetters: 1 },
      inFlight: 0,
      upstream: { filed: true, status: 201, id: expect.any(String) },
    },
  ]);
  expect(await deadLetters()).toEqual(['ada']);
  expect(await usersAtWebEngage()).toEqual(['ada']);

  await stack.stopRelay();
  await stack.startRelay();
  expect(await post('johndoe', 'ada')).toMatchObject({ accepted: 1, rejected: [{ issues: [{ path: '' }] }] });
  await expect.poll(usersAtWebEngage, { timeout: 20_000 }).toEqual(['ada', 'ada']);

  expect(await erase('johndoe\n', '--lift')).toMatchObject({
    code: 0,
    receipts: [{ suppressedUntil: null }],
  });
  expect(await post('johndoe')).toMatchObject({ accepted: 1, rejected: [] });
}, 120_000);
