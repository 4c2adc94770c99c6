import { createInterface } from 'node:readline';
import { VERSION } from '../../contract/version.ts';
import type { ErasureReceipt } from '../../edge/operator/erasure-receipt.ts';
import type { ExitCode } from '../exit-code.ts';
import { tokenFor } from '../relay-token.ts';
import type { EraseOptions } from './options.ts';
import { receiptLines } from './receipt-text.ts';

type World = {
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
};

/** `line`: of standard input. No message contains the id. */
type Asked =
  | { readonly ok: true; readonly receipt: ErasureReceipt }
  | { readonly ok: false; readonly message: string };

const MAX_ID_LENGTH = 100;

// An outbox with millions of records is read in steps, which takes time.
const TIMEOUT_MS = 300_000;

/** Erases one person after the other, and prints a receipt for each. The first failed request ends it. */
export async function erase(options: EraseOptions, { say, complain, env, stdin }: World): Promise<ExitCode> {
  const { relay, tokenEnv, json } = options;
  const read = tokenFor(relay, 'the ADMIN_TOKEN', tokenEnv, env);
  if (!read.ok) {
    complain(read.message);
    return 2;
  }
  const given = options.userId ?? options.anonymousId ?? '';
  let isComplete = true;
  let people = 0;
  for await (const { id, line } of idsOf(given, stdin)) {
    const of = line === undefined ? '' : `line ${line}: `;
    const asked = await ask(options, read.token, id);
    if (!asked.ok) {
      complain(`${of}${asked.message}`);
      return 1;
    }
    const { receipt } = asked;
    people += 1;
    isComplete &&= receipt.complete;
    if (json) say(JSON.stringify(line === undefined ? receipt : { line, ...receipt }));
    else for (const text of receiptLines(receipt)) say(`${of}${text}`);
  }
  if (people === 0) {
    complain('standard input contains no id');
    return 2;
  }
  if (!isComplete) complain('not complete: run the same command again');
  return isComplete ? 0 : 1;
}

type Id = { readonly id: string; readonly line?: number };

/** The id of a flag, or those of standard input with their lines. */
async function* idsOf(given: string, stdin: NodeJS.ReadableStream): AsyncGenerator<Id> {
  if (given !== '-') {
    yield { id: given };
    return;
  }
  let line = 0;
  for await (const text of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    // Programs of Windows begin a file with a byte order mark, which is no part of the first id.
    const id = line === 1 ? text.replace(/^\uFEFF/, '') : text;
    if (id !== '') yield { id, line };
  }
}

async function ask(
  { relay, userId, upstream, lift }: EraseOptions,
  token: string,
  id: string,
): Promise<Asked> {
  if (id.length === 0 || id.length > MAX_ID_LENGTH)
    return no(`the id must have 1 to ${MAX_ID_LENGTH} characters`);
  // What decoding leaves of Latin-1 and of UTF-16. The receipt would be about nobody.
  if (/[\0\uFFFD]/.test(id)) return no('the id is not UTF-8: save the list as UTF-8');
  try {
    const response = await fetch(`${relay}/admin/erase`, {
      method: 'POST',
      // In the body: addresses are logged.
      body: JSON.stringify({
        [userId === undefined ? 'anonymousId' : 'userId']: id,
        ...(upstream && { upstream }),
        ...(lift && { lift }),
      }),
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'User-Agent': `webengage-relay-erase/${VERSION}`,
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return { ok: true, receipt: (await response.json()) as ErasureReceipt };
    await response.body?.cancel();
    return no(
      response.status === 404
        ? `the relay answers 404: its ADMIN_TOKEN is another one or not set, or it is older than this command`
        : `the relay answers ${response.status}: look at ${relay}/health`,
    );
  } catch {
    return no(`no answer from ${relay}: the person may be erased in part. Run the same command again`);
  }
}

const no = (message: string): Asked => ({ ok: false, message });
