import { clock, count, counted, duration } from './in-words.js';

/** @import { Gate, Shard, Status } from './relay.js' */

/**
 * What the operator must know first. `bad` wants a human now, `warn` wants watching.
 *
 * @typedef {object} State
 * @property {'good' | 'busy' | 'warn' | 'bad'} mood
 * @property {string} name One or two words: the state, and the tab's title.
 * @property {string} line What is so.
 * @property {string} advice What to do, or that there is nothing to do; commands and settings in backquotes.
 * @property {readonly string[]} also What is so besides.
 */

// Records of a healthy relay linger a second and travel another: one this old waits for a reason.
const WAITS_MS = 30_000;
const LATELY_MS = 120_000;
const HOUR_MS = 3_600_000;
const NOTHING_LOST = 'Nothing is lost: what comes in is kept.';

/**
 * The state of the relay: the worst thing that is so, in words, and the others after it.
 *
 * @param {Status} status
 * @returns {State}
 */
export function stateOf(status) {
  const [worst, ...others] = [held, full, silentShards, paused, failing, waiting].flatMap(
    (look) => look(status) ?? [],
  );
  const { harmless, ...first } = worst ?? well(status);
  return {
    ...first,
    line: harmless ? `${first.line} ${NOTHING_LOST}` : first.line,
    also: [...nextTry(status), ...others.map(({ line }) => line), ...remarks(status)],
  };
}

/** @typedef {Omit<State, 'also'> & { readonly harmless?: true }} Finding */

/** @type {(status: Status) => Finding | undefined} */
function held({ at, gate }) {
  if (gate.held === null) return undefined;
  const { status, since } = gate.held;
  return {
    mood: 'bad',
    name: 'Held',
    harmless: true,
    line: `WebEngage answers ${status} since ${clock(since, at)}, for ${duration(at - since)}.`,
    // Without a figure that changes: the reader copies the command from here.
    advice: `${remedy(status)} What waits then goes by itself.`,
  };
}

/** @param {number} status */
function remedy(status) {
  switch (status) {
    case 401:
    case 403:
      return 'Set a key that WebEngage takes: `npx wrangler secret put WEBENGAGE_API_KEY`.';
    case 404:
      return 'Check `WEBENGAGE_REGION` and `WEBENGAGE_LICENSE_CODE`, and deploy again.';
    case 400:
      return 'Every call is refused: check `WEBENGAGE_LICENSE_CODE`, and deploy again.';
    default:
      return 'Check `WEBENGAGE_REGION` (or `WEBENGAGE_HOST`), `WEBENGAGE_LICENSE_CODE` and the key.';
  }
}

/** @type {(status: Status) => Finding | undefined} */
function full({ shards }) {
  const without = shards.filter((shard) => shard.full).length;
  if (without === 0) return undefined;
  const what =
    shards.length === 1
      ? 'The outbox is'
      : `${without} of ${counted(shards.length, 'shard')} ${without === 1 ? 'is' : 'are'}`;
  return {
    mood: 'bad',
    name: 'LoadShedding',
    line: `${what} full: new records are answered 503, and the browsers keep them, for up to 7 days.`,
    advice:
      'It takes records again when there is room: see why it does not drain, and look after the dead letters, which take room too.',
  };
}

/** @type {(status: Status) => Finding | undefined} */
function silentShards({ shards }) {
  const silent = shards.filter(({ unreachable }) => unreachable);
  if (silent.length === 0) return undefined;
  const names = silent.map(({ name }) => name).join(', ');
  return {
    mood: 'bad',
    name: 'Shard silent',
    line: `${silent.length} of ${counted(shards.length, 'shard')} ${silent.length === 1 ? 'does' : 'do'} not answer (${names}): the figures are without what waits there.`,
    advice: 'What they hold is on disk. If it lasts, look at Cloudflare’s status and the Worker’s log.',
  };
}

/** @type {(status: Status) => Finding | undefined} */
function paused({ at, gate }) {
  const leftMs = pauseLeftMs(gate, at);
  if (leftMs === 0) return undefined;
  return {
    mood: 'warn',
    name: 'Paused',
    harmless: true,
    line: `WebEngage answered 429: no call leaves until ${clock(at + leftMs, at)}, ${duration(leftMs)} from now.`,
    advice:
      'It goes on by itself. If it happens often, another program uses the account: lower `REQUESTS_PER_MINUTE`.',
  };
}

/**
 * @param {Gate} gate
 * @param {number} now
 */
const pauseLeftMs = ({ pausedUntil }, now) => Math.max(0, (pausedUntil ?? now) - now);

/** @type {(status: Status) => Finding | undefined} */
function failing({ at, backlog, gate, minutes }) {
  // Known already why.
  if (gate.held !== null || pauseLeftMs(gate, at) > 0) return undefined;
  const lately = minutes.filter((minute) => minute.at > at - LATELY_MS);
  const calls = sum(lately.map(({ calls }) => calls));
  const failed = sum(lately.map(({ failed }) => failed));
  if (backlog.retrying === 0 || calls === 0 || failed < calls) return undefined;
  return {
    mood: 'warn',
    name: 'WebEngage fails',
    harmless: true,
    line: `No call of the last two minutes was taken: ${counted(backlog.retrying, 'batch', 'batches')} to send again (${answers(backlog.byStatus)}).`,
    advice: 'Nothing to do here: the same batches are sent again. If it lasts, ask WebEngage.',
  };
}

/** @type {(status: Status) => Finding | undefined} */
function waiting({ backlog }) {
  if (backlog.records === 0 || backlog.oldestAgeMs < WAITS_MS) return undefined;
  const what = `${counted(backlog.records, 'record')} ${backlog.records === 1 ? 'waits' : 'wait'}, the oldest for ${duration(backlog.oldestAgeMs)}`;
  if (backlog.drainMs === null)
    return {
      mood: 'warn',
      name: backlog.growthPerMinute > 0 ? 'Growing' : 'Waiting',
      line: `${what}, and the backlog does not shrink.`,
      advice: 'Look at the calls below: at the limit it drains when fewer records come in. All are kept.',
    };
  return {
    mood: 'busy',
    name: 'Draining',
    line: `${what}; empty in about ${duration(backlog.drainMs)}.`,
    advice: 'Nothing to do.',
  };
}

/** @type {(status: Status) => Finding} */
function well({ backlog }) {
  return {
    mood: 'good',
    name: 'All well',
    line: backlog.records === 0 ? 'Nothing waits.' : `${counted(backlog.records, 'record')} on the way.`,
    advice: 'Nothing to do.',
  };
}

/** @param {Status} status */
function nextTry({ at, gate }) {
  if (gate.held === null) return [];
  const { probeAt } = gate.held;
  return [`The next try is ${probeAt > at ? `in ${duration(probeAt - at)}` : 'due'}.`];
}

/** @param {Status} status */
function remarks(status) {
  const { backlog, deadLetters, gate, minutes, totals } = status;
  const unverified = sum(minutes.map(({ unverified }) => unverified));
  const offPlan = waysOffPlan(status);
  return [
    gate.held === null &&
      gate.key === 'secondary' &&
      'WebEngage refuses the primary key, and takes the secondary one: replace WEBENGAGE_API_KEY.',
    backlog.retrying > 0 &&
      failing(status) === undefined &&
      `${counted(backlog.retrying, 'batch', 'batches')} to send again (${answers(backlog.byStatus)}).`,
    gate.maxCallBytes !== null &&
      `Calls are kept under ${count(gate.maxCallBytes)} bytes: larger ones were answered 413.`,
    totals.unfamiliar > 0 &&
      `WebEngage took ${counted(totals.unfamiliar, 'call')} in other words than it documents: see unfamiliar_answer in the log.`,
    deadLetters > 0 &&
      `${counted(deadLetters, 'dead letter')}: refused by WebEngage, kept here until you replay or discard.`,
    unverified > 0 &&
      `${counted(unverified, 'record')} of the last hour named a user, and came without an identity token: IDENTITY=required would refuse such.`,
    offPlan > 0 &&
      `Records of the last hour were off the tracking plan, in ${counted(offPlan, 'way')}: they are listed below.`,
  ].filter((remark) => remark !== false);
}

/**
 * In how many ways records were off the plan within the hour.
 *
 * @param {Status} status
 */
function waysOffPlan({ at, trackingPlan }) {
  return (trackingPlan?.kinds ?? []).filter(({ lastAt }) => lastAt > at - HOUR_MS).length;
}

/** @param {Readonly<Record<string, number>>} byStatus */
function answers(byStatus) {
  const said = Object.entries(byStatus).map(
    ([status, batches]) => `${count(batches)} after ${answer(status)}`,
  );
  return said.length === 0 ? 'last answers not known' : said.join(', ');
}

/**
 * A page of a proxy's with status 200 takes no record.
 *
 * @param {string} status
 */
function answer(status) {
  if (status === '0') return 'no answer';
  return status.startsWith('2') ? `${status} without WebEngage’s own answer` : status;
}

/** @param {readonly number[]} amounts */
const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0);
