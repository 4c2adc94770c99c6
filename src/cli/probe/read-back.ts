import { isRefusal } from '../../edge/delivery/verdict.ts';
import type { Answer } from './answers.ts';
import { PACE_MS, type Ports } from './ask.ts';
import { type Reading, type Run, timesIn } from './question.ts';
import type { PrivacyReply } from './webengage.ts';

export type ReadBack = {
  readonly portability: Answer<'portability'>;
  readonly reading: Reading | undefined;
};

/** The wait before each look at the first user: WebEngage stores records some time after it has queued them. */
const LOOKS_AFTER_MS = [2_000, 5_000, 10_000, 20_000, 40_000, 60_000];
// Time for a record that was overtaken by the last one.
const SETTLE_MS = 20_000;

/** The most privacy requests that reading back makes: each look, one more after the pause, and the second user. */
export const MAX_PRIVACY_REQUESTS: number = LOOKS_AFTER_MS.length + 2;

/** The marks of documented records that WebEngage has accepted. A mark that is missing beside them was dropped. */
export type Controls = { readonly users: readonly string[]; readonly event: string | undefined };

type Look =
  /** `isWhole`: all that must be there is. */
  | {
      readonly kind: 'profile';
      readonly body: string;
      readonly isWhole: boolean;
      readonly hasEvents: boolean;
    }
  | { readonly kind: 'receipt' | 'refused' | 'nothing'; readonly status: number };

/** Finds out what an answer of the privacy API shows. Its form is undocumented, so only our own marks count. */
export function lookAt({ status, body }: PrivacyReply, { users, event }: Controls): Look {
  if (isRefusal(status)) return { kind: 'refused', status };
  if (status < 200 || status >= 300) return { kind: 'nothing', status };
  const isThere = (mark: string) => timesIn(body, mark) > 0;
  if (users.some(isThere))
    return {
      kind: 'profile',
      body,
      isWhole: users.every(isThere),
      hasEvents: event !== undefined && isThere(event),
    };
  // In OpenGDPR the data comes later, in another way.
  return { kind: /"expected_completion_time"/.test(body) ? 'receipt' : 'nothing', status };
}

/** Reads the probe users through the privacy API, until the records that must be there are, and once more. */
export async function readBack(run: Run, controls: Controls, ports: Ports): Promise<ReadBack> {
  const unread = (portability: Answer<'portability'>): ReadBack => ({ portability, reading: undefined });
  if (controls.users.length === 0)
    return unread({ value: 'unknown', evidence: 'no documented record was accepted' });
  ports.say(
    `opengdpr_requests: up to ${MAX_PRIVACY_REQUESTS} requests of type portability, for the two probe users`,
  );
  if (!(await ports.agrees('the privacy requests')))
    return unread({ value: 'unknown', evidence: 'not asked' });

  const { last, isSettled } = await lookUntilSettled(run, controls, ports);
  if (last === undefined) return unread({ value: 'unknown', evidence: 'not asked' });
  if (last.kind !== 'profile') {
    const value = last.kind === 'nothing' ? 'unknown' : last.kind;
    return unread({ value, evidence: last.status === 0 ? 'no answer' : `answered ${last.status}` });
  }
  const portability = portabilityOf(last, controls.event !== undefined);
  if (!isSettled) return unread({ ...portability, evidence: 'the records did not arrive in time' });
  await ports.wait(PACE_MS);
  const second = await ports.webEngage.portability(run.secondUserId, run.requestId('look second'));
  const isSecond = second.status < 300 && timesIn(second.body, run.mark('rcs_second')) > 0;
  return { portability, reading: { user: last.body, secondUser: isSecond ? second.body : undefined } };
}

type Looks = {
  readonly last: Look | undefined;
  /** Two looks in a row have seen all that must be there. */
  readonly isSettled: boolean;
};

async function lookUntilSettled(run: Run, controls: Controls, ports: Ports): Promise<Looks> {
  const look = async (id: string, afterMs: number) => {
    await ports.wait(afterMs);
    if (ports.signal.aborted) return undefined;
    const reply = await ports.webEngage.portability(run.userId, run.requestId(`look ${id}`));
    ports.say(`   → ${reply.status || 'no answer'}`);
    return lookAt(reply, controls);
  };
  let last: Look | undefined;
  for (const [index, afterMs] of LOOKS_AFTER_MS.entries()) {
    last = await look(String(index), afterMs);
    if (last === undefined || last.kind === 'receipt' || last.kind === 'refused')
      return { last, isSettled: false };
    if (last.kind !== 'profile' || !last.isWhole) continue;
    const again = await look('settled', SETTLE_MS);
    return again?.kind === 'profile' && again.isWhole
      ? { last: again, isSettled: true }
      : { last, isSettled: false };
  }
  return { last, isSettled: false };
}

function portabilityOf(
  { hasEvents, isWhole }: Extract<Look, { kind: 'profile' }>,
  isEventSent: boolean,
): Answer<'portability'> {
  if (hasEvents) return { value: 'profile_and_events', evidence: 'attributes and events are there' };
  return isEventSent && isWhole
    ? { value: 'profile', evidence: 'attributes are there, events are not' }
    : { value: 'unknown', evidence: 'attributes are there; nothing is known of events' };
}
