import type { InitOptions } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import type { Answers } from './project.ts';
import { domainFault, nameFault, settingFault } from './validate-settings.ts';

type Question = {
  readonly of: keyof Answers;
  readonly flag: string;
  readonly text: string;
  /** Taken for an empty answer; undefined: there has to be one. */
  readonly otherwise?: string;
  /** What is wrong with an answer, in words. */
  readonly fault: (answer: string) => string | undefined;
};

const QUESTIONS: readonly Question[] = [
  {
    of: 'license',
    flag: '--license',
    text: "WebEngage's license code, with its ~",
    fault: (answer) => settingFault({ WEBENGAGE_LICENSE_CODE: answer }),
  },
  {
    of: 'region',
    flag: '--region',
    text: 'Where the account lives: global, in or ksa',
    otherwise: 'global',
    fault: (answer) => settingFault({ WEBENGAGE_REGION: answer }),
  },
  {
    of: 'origins',
    flag: '--origins',
    text: 'The sites that may send, with commas (https://shop.example.com)',
    fault: (answer) => settingFault({ ALLOWED_ORIGINS: answer }),
  },
  {
    of: 'domain',
    flag: '--domain',
    text: 'A host name for the relay in a zone of your account (t.example.com), or nothing for workers.dev',
    otherwise: '',
    fault: domainFault,
  },
  {
    of: 'name',
    flag: '--name',
    text: "The Worker's name",
    otherwise: 'webengage-relay',
    fault: nameFault,
  },
];

export type Gathered =
  | { readonly ok: true; readonly answers: Answers }
  | { readonly ok: false; readonly message: string };

/** Takes the answers from the flags, and asks for the rest until the relay would take them. */
export async function gatherAnswers(options: InitOptions, terminal: Terminal): Promise<Gathered> {
  const answers: Record<string, string> = {};
  for (const question of QUESTIONS) {
    const given = options[question.of];
    const fault = given === undefined ? undefined : question.fault(given);
    if (fault !== undefined) return { ok: false, message: `${question.flag}: ${fault}` };

    const answer = given ?? (await answerTo(question, options.yes, terminal));
    if (answer === undefined)
      return { ok: false, message: `${question.flag} is needed: ${question.fault('') ?? question.text}` };
    answers[question.of] = answer;
  }
  return { ok: true, answers: answers as Answers };
}

/** Undefined: nobody is there to answer what has to be answered. */
async function answerTo(
  { text, otherwise, fault }: Question,
  yes: boolean,
  terminal: Terminal,
): Promise<string | undefined> {
  if (yes || !terminal.interactive) return otherwise;
  const shown = otherwise ? `${text} [${otherwise}]: ` : `${text}: `;
  for (;;) {
    const answer = (await terminal.ask(shown)) || (otherwise ?? '');
    const wrong = fault(answer);
    if (wrong === undefined) return answer;
    terminal.say(`  ${wrong}`);
  }
}

/** Asks what is answered by yes or no; an empty answer is yes. */
export async function agreed(question: string, terminal: Terminal): Promise<boolean> {
  return !/^n/i.test(await terminal.ask(`${question} [Y/n] `));
}
