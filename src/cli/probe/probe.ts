import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { confirm, isCancel } from '@clack/prompts';
import { readSettings } from '../../edge/settings/settings.ts';
import type { ExitCode } from '../exit-code.ts';
import { askAccount, readKey, validKey } from '../init/prompts.ts';
import { answered, isInteractive, NoAnswer, type Terminal } from '../init/terminal.ts';
import type { Answers } from './answers.ts';
import { type Asked, askAll, type Ports } from './ask.ts';
import type { ProbeOptions } from './options.ts';
import { PROFILE_VERSION, type Profile } from './profile.ts';
import { type Question, type Reading, type Run, runOf } from './question.ts';
import { lastCall, QUESTIONS } from './questions.ts';
import { type Controls, readBack } from './read-back.ts';
import { nextSteps, planOf, tableOf } from './report.ts';
import { webEngage } from './webengage.ts';

type World = {
  readonly terminal: Terminal;
  readonly say: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Resolves after so many milliseconds, or once `signal` is aborted. */
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly fetch: typeof globalThis.fetch;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

const TOKEN_BYTES = 4;

const ALL: readonly Question[] = Object.values(QUESTIONS);

/** Asks an account what no document says, and writes its profile. It makes no call before the operator agrees. */
export async function probe(options: ProbeOptions, world: World): Promise<ExitCode> {
  const { complain, terminal } = world;
  if (!options.yes && !isInteractive(terminal)) {
    complain('it asks before it calls: run it at a terminal, or with --yes. No call was made.');
    return 2;
  }
  try {
    return await probed(options, world);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    complain(`${error.message}. Nothing was written.`);
    return error.exitCode;
  }
}

async function probed(options: ProbeOptions, world: World): Promise<ExitCode> {
  const { complain, say, now } = world;
  const { yes = false, step = false, out } = options;
  const read = readSettings(await settingsOf(options, world));
  if (!read.ok) {
    complain(`${read.message}. No call was made.`);
    return 1;
  }

  const run = runOf(randomBytes(TOKEN_BYTES).toString('hex'));
  const ask = (message: string) => confirm({ message, initialValue: false, ...world.terminal });
  say(planOf([...ALL, LAST], run, read.settings.upstream));
  if (!yes && !step && !answered(await ask('Is this a test license, and may these calls be made?'))) {
    say('No call was made.');
    return 1;
  }

  // Ctrl-C at a question ends the run as it does between two calls.
  const atQuestion = new AbortController();
  const signal = AbortSignal.any([world.signal, atQuestion.signal]);
  const agreesToStep = async (call: string) => {
    const answer = await ask(`Make ${call}?`);
    if (isCancel(answer)) atQuestion.abort();
    return answer === true;
  };
  const ports: Ports = {
    ...world,
    signal,
    webEngage: webEngage(read.settings, world.fetch, signal),
    agrees: step ? agreesToStep : async () => true,
  };
  const asking = await askAll([...ALL, LAST], run, ports);
  const leftBehind = `Bulk calls made: ${asking.calls}, for the user ${run.userId}. Nothing was written.`;
  if (asking.ended === 'stopped') {
    complain(`${asking.why}. ${leftBehind}`);
    return 1;
  }
  const back = asking.ended === 'all' ? await readBack(run, controlsOf(asking.asked, run), ports) : undefined;
  if (asking.ended === 'interrupted' || back === undefined || signal.aborted) {
    complain(`interrupted. ${leftBehind}`);
    return 130;
  }

  const answers = { ...judgeAll(asking.asked, run, back.reading), portability: back.portability };
  return write({ version: PROFILE_VERSION, probedAt: new Date(now()).toISOString(), answers }, out, world);
}

/** The relay's settings: from flags, environment and prompts. */
async function settingsOf({ license, region, yes = false }: ProbeOptions, { terminal, env }: World) {
  const given = { ...(license && { license }), ...(region && { region }) };
  if (yes && license === undefined)
    throw new NoAnswer('--license must be given because no questions are asked with --yes', 2);
  const account = yes ? given : await askAccount(given, terminal);
  const key = validKey(env.WEBENGAGE_API_KEY || (await readKey(terminal)), 'set it, or pipe the key in');
  return {
    ALLOWED_ORIGINS: '*',
    WEBENGAGE_API_KEY: key,
    ...(account.license && { WEBENGAGE_LICENSE_CODE: account.license }),
    ...(account.region && { WEBENGAGE_REGION: account.region }),
    // The sandbox, in development, as for the relay itself.
    ...(env.WEBENGAGE_HOST && { WEBENGAGE_HOST: env.WEBENGAGE_HOST }),
  };
}

/** The last call answers no question itself. It shows when all records have arrived. */
const LAST: Question = {
  asks: 'Have all records arrived?',
  calls: 1,
  next: (run, replies) => (replies.length === 0 ? lastCall(run) : undefined),
  judge: () => ({}),
};

/** The records at both ends of the run, if they were accepted. Those in between are judged by them. */
function controlsOf(asked: readonly Asked[], run: Run): Controls {
  const repliesTo = (question: unknown) => asked.find((each) => each.question === question)?.replies ?? [];
  const [user, event] = repliesTo(QUESTIONS.success);
  const [last] = repliesTo(LAST);
  const areTaken = user?.verdict === 'taken' && last?.verdict === 'taken';
  return {
    users: areTaken ? [run.mark('first'), run.mark('last')] : [],
    event: event?.verdict === 'taken' ? run.mark('event') : undefined,
  };
}

function judgeAll(asked: readonly Asked[], run: Run, reading: Reading | undefined) {
  const judged = asked.map(({ question, replies }) => question.judge({ run, replies, reading }));
  return Object.assign({}, ...judged) as Omit<Answers, 'portability'>;
}

async function write(profile: Profile, out: string, { say, complain }: World): Promise<ExitCode> {
  say(`\n${tableOf(profile)}\n`);
  try {
    await writeFile(out, `${JSON.stringify(profile, null, 2)}\n`);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return 1;
  }
  say(`wrote ${out}: it holds neither the key nor the license code`);
  say(nextSteps(profile, out));
  return 0;
}
