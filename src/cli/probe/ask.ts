import { isRefusal } from '../../edge/delivery/verdict.ts';
import { meaningOf } from '../init/key-check.ts';
import { plain } from '../plain-text.ts';
import type { ProbeCall, Question, Reply, Run } from './question.ts';
import type { WebEngage } from './webengage.ts';

export type Ports = {
  readonly webEngage: WebEngage;
  /** Resolves after so many milliseconds, or once the run is interrupted. */
  readonly wait: (ms: number) => Promise<void>;
  /** Whether the operator agrees to a call that has been shown. */
  readonly agrees: (call: string) => Promise<boolean>;
  readonly say: (line: string) => void;
  /** Aborted once the run is interrupted. */
  readonly signal: AbortSignal;
};

/** A question, and the replies to its calls. */
export type Asked = { readonly question: Question; readonly replies: readonly Reply[] };

export type Asking =
  | { readonly ended: 'all'; readonly asked: readonly Asked[]; readonly calls: number }
  /** No call can succeed. `why` says what to do. */
  | { readonly ended: 'stopped'; readonly why: string; readonly calls: number }
  | { readonly ended: 'interrupted'; readonly calls: number };

/** Two calls a second: less than half of an account's 500 a minute. */
export const PACE_MS = 500;

// An account that is still over its limit after two minutes is in use.
const MAX_PAUSES = 2;
const MAX_PAUSE_MS = 2 * 60_000;

const MAX_SHOWN = 240;

const PADDING = / {2,}/g;

/** Asks each question: shows each call, makes it if the operator agrees, and collects the replies. */
export async function askAll(questions: readonly Question[], run: Run, ports: Ports): Promise<Asking> {
  const asked: Asked[] = [];
  let shown = 0;
  let calls = 0;
  for (const question of questions) {
    const replies: Reply[] = [];
    for (let call = question.next(run, replies); call; call = question.next(run, replies)) {
      if (ports.signal.aborted) return { ended: 'interrupted', calls };
      shown += 1;
      ports.say(`${shown}. ${textOf(call)}`);
      const agrees = await ports.agrees(`call ${shown}, to ${call.path}`);
      if (ports.signal.aborted) return { ended: 'interrupted', calls };
      if (!agrees) break;
      const reply = await send(call, ports);
      calls += 1;
      if (ports.signal.aborted) return { ended: 'interrupted', calls };
      ports.say(`   → ${saidIn(reply)}`);
      const why = reasonToStop(reply, calls === 1);
      if (why !== undefined) return { ended: 'stopped', why, calls };
      replies.push(reply);
      await ports.wait(PACE_MS);
    }
    asked.push({ question, replies });
  }
  return { ended: 'all', asked, calls };
}

function textOf({ path, body, says }: ProbeCall): string {
  const text = body.replace(PADDING, ' … ');
  const start = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return `${path}: ${says}\n   ${start}`;
}

/** The reply in one line. A success needs only its status. */
function saidIn({ status, verdict, words }: Reply): string {
  if (status === 0) return 'no answer';
  return verdict === 'taken' || words === '' ? String(status) : `${status} (${plain(words)})`;
}

/** Makes a call. If it is over the account's limit, makes it again after a pause, under the same id. */
async function send(call: ProbeCall, { webEngage, wait, say, signal }: Ports): Promise<Reply> {
  for (let pauses = 0; ; pauses += 1) {
    const reply = await webEngage.bulk(call);
    const { pauseMs = 0 } = reply;
    const isWorth = reply.verdict === 'paused' && pauses < MAX_PAUSES && pauseMs <= MAX_PAUSE_MS;
    if (!isWorth || signal.aborted) return reply;
    say(
      `   → ${reply.status}: over the account's limit, so the next call is in ${Math.ceil(pauseMs / 1000)} s`,
    );
    await wait(pauseMs);
  }
}

/**
 * Returns why no other call can succeed, and the remedy; undefined if one may. The first call follows the documents, so a
 * refusal of it is a refusal of the account.
 */
function reasonToStop(reply: Reply, isFirst: boolean): string | undefined {
  const { status, words, verdict } = reply;
  const isAccountsFault = status === 401 || status === 404 || (isFirst && isRefusal(status));
  if (!isAccountsFault) return undefined;
  if (verdict === 'misconfigured') return meaningOf(status, { says: '', words: plain(words) }).words;
  return `WebEngage answers ${status}${words && ` (${plain(words)})`} to a record that its documents allow: compare the license code with the dashboard's`;
}
