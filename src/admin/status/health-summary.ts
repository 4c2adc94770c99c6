import type { RelayStatus } from '../../edge/operator/relay-status.ts';
import { clock, count, counted, duration } from '../format.ts';

/** What the operator must know first. */
export type HealthSummary = {
  /** `bad` needs a human now, `warn` needs watching, `lost` means that the relay can't be asked. */
  readonly mood: 'good' | 'busy' | 'warn' | 'bad' | 'lost';
  /** One or two words: the state, and the tab's title. */
  readonly name: string;
  readonly line: string;
  /** What to do, or that there is nothing to do; commands and settings in backquotes. */
  readonly advice: string;
  /** The section of the runbooks about this state. Undefined if nothing is wrong. */
  readonly runbook?: string;
  /** What else there is to know. */
  readonly also: readonly string[];
};

type Finding = Omit<HealthSummary, 'also'> & { readonly isHarmless?: true };
type Check = (status: RelayStatus) => Finding | undefined;

// Records of a healthy relay linger a second and travel another: one this old waits for a reason.
const WAITS_MS = 30_000;
const LATELY_MS = 120_000;
const HOUR_MS = 3_600_000;
const NOTHING_LOST = 'Nothing is lost: the relay keeps every new record.';

/** The health of the relay: the worst finding, and all others after it. */
export function healthSummary(status: RelayStatus): HealthSummary {
  const checks = [suspended, full, silentOutboxes, paused, failing, waiting];
  const [worst = healthy(status), ...others] = checks.flatMap((check) => check(status) ?? []);
  const { isHarmless, ...first } = worst;
  return {
    ...first,
    line: isHarmless ? `${first.line} ${NOTHING_LOST}` : first.line,
    also: [...nextTry(status), ...others.map(({ line }) => line), ...remarks(status)],
  };
}

/**
 * A relay that does not answer.
 *
 * @param lastSeen when it last answered
 */
export function outOfReach(reason: string, lastSeen: string): HealthSummary {
  return {
    mood: 'lost',
    name: 'Unreachable',
    runbook: 'unreachable',
    line: `${reason} The figures below are from ${lastSeen}.`,
    advice: 'This page keeps trying. Accepted records are on disk.',
    also: [],
  };
}

const suspended: Check = ({ at, gate }) => {
  if (gate.suspension === null) return undefined;
  const { status, since } = gate.suspension;
  return {
    mood: 'bad',
    name: 'Suspended',
    runbook: 'suspended',
    isHarmless: true,
    line: `WebEngage has answered ${status} since ${clock(since, at)}, for ${duration(at - since)}.`,
    // Without a figure that changes: the reader copies the command from here.
    advice: `${remedy(status)} The relay then sends the backlog by itself.`,
  };
};

function remedy(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'Set a key that WebEngage accepts: `npx wrangler secret put WEBENGAGE_API_KEY`.';
    case 404:
      return 'Check `WEBENGAGE_REGION` and `WEBENGAGE_LICENSE_CODE`, and deploy again.';
    case 400:
      return 'Every call is refused: check `WEBENGAGE_LICENSE_CODE`, and deploy again.';
    default:
      return 'Check `WEBENGAGE_REGION` (or `WEBENGAGE_HOST`), `WEBENGAGE_LICENSE_CODE` and the key.';
  }
}

const full: Check = ({ shards }) => {
  const fullOutboxes = shards.filter((shard) => shard.full).length;
  if (fullOutboxes === 0) return undefined;
  const subject =
    shards.length === 1
      ? 'The outbox is'
      : `${fullOutboxes} of ${counted(shards.length, 'outbox', 'outboxes')} ${fullOutboxes === 1 ? 'is' : 'are'}`;
  return {
    mood: 'bad',
    name: 'Full',
    runbook: 'full',
    line: `${subject} full: new records are answered 503, and the browsers keep them for up to 7 days.`,
    advice:
      'It accepts records again once there is room. Find out why it does not drain, and replay or discard dead letters, which take up room too.',
  };
};

const silentOutboxes: Check = ({ shards }) => {
  const silent = shards.filter(({ unreachable }) => unreachable);
  if (silent.length === 0) return undefined;
  const names = silent.map(({ name }) => name).join(', ');
  return {
    mood: 'bad',
    name: 'Outbox unreachable',
    runbook: 'silent',
    line: `${silent.length} of ${counted(shards.length, 'outbox', 'outboxes')} ${silent.length === 1 ? 'does' : 'do'} not answer (${names}): the figures do not include their records.`,
    advice: 'Their records are on disk. If this lasts, check Cloudflare’s status page and the Worker’s log.',
  };
};

const paused: Check = ({ at, gate }) => {
  const leftMs = pauseLeftMs(gate, at);
  if (leftMs === 0) return undefined;
  return {
    mood: 'warn',
    name: 'Paused',
    runbook: 'paused',
    isHarmless: true,
    line: `WebEngage answered 429: the relay makes no calls until ${clock(at + leftMs, at)}, ${duration(leftMs)} from now.`,
    advice:
      'Sending resumes by itself. If this happens often, another program uses the account: lower `REQUESTS_PER_MINUTE`.',
  };
};

function pauseLeftMs({ pausedUntil }: RelayStatus['gate'], now: number): number {
  return Math.max(0, (pausedUntil ?? now) - now);
}

const failing: Check = ({ at, backlog, gate, minutes }) => {
  // The reason is known already.
  if (gate.suspension !== null || pauseLeftMs(gate, at) > 0) return undefined;
  const lately = minutes.filter((minute) => minute.at > at - LATELY_MS);
  const calls = sum(lately.map(({ calls }) => calls));
  const failed = sum(lately.map(({ failed }) => failed));
  if (backlog.retrying === 0 || calls === 0 || failed < calls) return undefined;
  return {
    mood: 'warn',
    name: 'WebEngage failing',
    runbook: 'stale',
    isHarmless: true,
    line: `WebEngage has accepted no call in the last two minutes. ${toSendAgain(backlog)}`,
    advice: 'No action needed: the relay sends the same batches again. If this lasts, ask WebEngage.',
  };
};

const waiting: Check = ({ backlog }) => {
  if (backlog.records === 0 || backlog.oldestAgeMs < WAITS_MS) return undefined;
  const subject = `${counted(backlog.records, 'record')} ${backlog.records === 1 ? 'waits' : 'wait'}, the oldest for ${duration(backlog.oldestAgeMs)}`;
  if (backlog.drainMs === null)
    return {
      mood: 'warn',
      name: backlog.growthPerMinute > 0 ? 'Growing' : 'Waiting',
      runbook: 'late',
      line: `${subject}, and the backlog does not shrink.`,
      advice:
        'Look at the calls below: if they are at the limit, the backlog drains once fewer records come in. The relay keeps all records.',
    };
  return {
    mood: 'busy',
    name: 'Draining',
    runbook: 'late',
    line: `${subject}; empty in about ${duration(backlog.drainMs)}.`,
    advice: 'No action needed.',
  };
};

function healthy({ backlog }: RelayStatus): Finding {
  return {
    mood: 'good',
    name: 'Healthy',
    line:
      backlog.records === 0 ? 'No records are waiting.' : `${counted(backlog.records, 'record')} on the way.`,
    advice: 'No action needed.',
  };
}

function nextTry({ at, gate }: RelayStatus): readonly string[] {
  if (gate.suspension === null) return [];
  const { probeAt } = gate.suspension;
  return [`The next probe is ${probeAt > at ? `in ${duration(probeAt - at)}` : 'due'}.`];
}

function remarks(status: RelayStatus): readonly string[] {
  const { backlog, deadLetters, gate, minutes, totals } = status;
  const unverified = sum(minutes.map(({ unverified }) => unverified));
  const violations = recentViolations(status);
  return [
    gate.onHold.length > 0 &&
      `On hold for a restore: ${gate.onHold.join(', ')}. Resume or undo it, because its senders have to wait.`,
    gate.suspension === null &&
      gate.key === 'secondary' &&
      'WebEngage refuses the primary key and accepts the secondary one: replace WEBENGAGE_API_KEY.',
    backlog.retrying > 0 && failing(status) === undefined && toSendAgain(backlog),
    gate.maxCallBytes !== null &&
      `Calls are kept under ${count(gate.maxCallBytes)} bytes: larger ones were answered 413.`,
    totals.unfamiliar > 0 &&
      `WebEngage accepted ${counted(totals.unfamiliar, 'call')} with an undocumented answer: see unfamiliar_answer in the log.`,
    deadLetters > 0 &&
      `${counted(deadLetters, 'dead letter')}: refused by WebEngage, and kept here until you replay or discard them.`,
    unverified > 0 &&
      `${counted(unverified, 'record')} of the last hour named a user without an identity token: IDENTITY=required would refuse such records.`,
    violations > 0 &&
      `Records of the last hour violated the tracking plan in ${counted(violations, 'way')}: they are listed below.`,
  ].filter((remark) => remark !== false);
}

/** In how many ways records violated the plan within the hour. */
function recentViolations({ at, trackingPlan }: RelayStatus): number {
  return (trackingPlan?.kinds ?? []).filter(({ lastAt }) => lastAt > at - HOUR_MS).length;
}

function toSendAgain({ retrying, byStatus }: RelayStatus['backlog']): string {
  const answers = Object.entries(byStatus).map(
    ([status, batches]) => `${count(batches)} after ${answer(status)}`,
  );
  const known = answers.length === 0 ? 'last answers unknown' : answers.join(', ');
  return `${counted(retrying, 'batch', 'batches')} to send again (${known}).`;
}

function answer(status: string): string {
  if (status === '0') return 'no answer';
  // A proxy's page with status 200 takes no record.
  return status.startsWith('2') ? `${status} without WebEngage’s own answer` : status;
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
