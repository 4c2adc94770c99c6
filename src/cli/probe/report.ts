import { ANSWERS, type Answers } from './answers.ts';
import { PACE_MS } from './ask.ts';
import type { Profile } from './profile.ts';
import { ATTRIBUTE_PREFIX, EVENT_NAME, type Question, type Run } from './question.ts';
import { MAX_PRIVACY_REQUESTS } from './read-back.ts';

const DOCUMENTED_PER_MINUTE = 500;

/** The plan that is shown first: the calls, and what they leave behind in the account. */
export function planOf(questions: readonly Question[], run: Run, upstream: string): string {
  const rows = questions.map(({ asks, calls }) => `  ${String(calls).padStart(3)}  ${asks}`);
  const most = questions.reduce((sum, { calls }) => sum + calls, 0);
  return `
This asks an account of WebEngage what no document says. Use a test license.

Bulk calls to ${upstream}, usually about 30 and at most ${most}, ${1000 / PACE_MS} a second:

${rows.join('\n')}

Then it reads the records back, by up to ${MAX_PRIVACY_REQUESTS} privacy requests (portability). Left behind in the account:

  the users ${run.userId} and ${run.secondUserId}
  up to 20 user attributes whose names begin with ${ATTRIBUTE_PREFIX}
  up to 15 events named ${EVENT_NAME}
  the privacy requests
`;
}

/** The answers as a table, one a line. */
export function tableOf({ answers }: Profile): string {
  const rows = ANSWERS.map((name) => [name, shown(answers[name].value), answers[name].evidence] as const);
  const widthOf = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [names, values] = [widthOf(0), widthOf(1)];
  return rows
    .map(([name, value, evidence]) => `  ${name.padEnd(names)}  ${value.padEnd(values)}  ${evidence}`)
    .join('\n');
}

function shown(value: Answers[keyof Answers]['value']): string {
  if (typeof value !== 'object') return String(value);
  const { acceptedBytes, refusedBytes } = value;
  return refusedBytes === null ? `over ${acceptedBytes} bytes` : `${acceptedBytes} bytes`;
}

/** The next steps for the operator. */
export function nextSteps({ answers }: Profile, file: string): string {
  const { value: perMinute } = answers.requestsPerMinute;
  const setting =
    perMinute === 'unknown' || perMinute === DOCUMENTED_PER_MINUTE
      ? []
      : [`The account has ${perMinute} calls a minute: set REQUESTS_PER_MINUTE of the relay to it.`];
  return [...setting, `To play this account on your machine: npx webengage-relay dev --profile ${file}`].join(
    '\n',
  );
}
