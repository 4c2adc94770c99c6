import { expect, test } from 'vitest';
import type { Client } from '../../src/admin/client.ts';
import { heard, signedOut, signingIn } from '../../src/admin/visit.ts';
import { NOW, status } from './status.ts';

const UNASKED = async () => ({ kind: 'unauthorized' }) as const;
const clientOf = (): Client => ({
  status: UNASKED,
  deadLetters: UNASKED,
  exportDeadLetters: UNASKED,
  testAlerts: UNASKED,
  settle: UNASKED,
});
const FAILED = { kind: 'failed', reason: 'The relay is out of reach.' } as const;

test('an accepted token opens the page', () => {
  const client = clientOf();

  const visit = heard(signingIn(client), client, { kind: 'ok', body: status() });

  expect(visit).toEqual({ client, status: status(), message: '' });
});

test('a refused token is forgotten, with its figures', () => {
  const client = clientOf();
  const open = heard(signingIn(client), client, { kind: 'ok', body: status() });

  const visit = heard(open, client, { kind: 'unauthorized' });

  expect(visit).toMatchObject({ client: undefined, status: undefined });
  expect(visit.message).toContain('`npx wrangler secret put ADMIN_TOKEN`');
});

test('a relay that stops answering leaves its last figures and is asked again', () => {
  const client = clientOf();
  const open = heard(signingIn(client), client, { kind: 'ok', body: status() });

  expect(heard(open, client, FAILED)).toEqual({ client, status: status(), message: FAILED.reason });
  expect(heard(signingIn(client), client, FAILED).message).toBe(`${FAILED.reason} Retrying by itself.`);
});

test('an answer to an earlier token changes nothing', () => {
  const [earlier, client] = [clientOf(), clientOf()];
  const visit = heard(signingIn(client), client, { kind: 'ok', body: status({ at: NOW }) });

  expect(heard(visit, earlier, { kind: 'unauthorized' })).toBe(visit);
  expect(heard(signedOut(), earlier, { kind: 'ok', body: status() })).toEqual(signedOut());
});
