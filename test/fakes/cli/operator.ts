import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { S_STEP_ACTIVE } from '@clack/prompts';
import type { Terminal } from '../../../src/cli/init/terminal.ts';
import type { Run, RunOptions } from '../../../src/cli/spawn.ts';

export type PlayedOperator = {
  readonly terminal: Terminal;
  readonly say: (text: string) => void;
  readonly complain: (line: string) => void;
  /** All that was shown, questions and complaints too. */
  readonly shown: () => string;
  /** The questions that were asked, in order. */
  readonly asked: readonly string[];
};

/**
 * An operator at a terminal, who answers a question that holds a key of `answers` by typing its value and Enter. Any other
 * question is answered by Enter alone.
 */
export function playedOperator(answers: Readonly<Record<string, string>> = {}): PlayedOperator {
  const asked: string[] = [];
  const operator = played(true, (text, input) => {
    const [, question] = text.split(`${S_STEP_ACTIVE}  `).map((part) => part.split('\n')[0]);
    // A question is drawn anew after a wrong answer.
    if (question === undefined || question === asked.at(-1)) return;
    asked.push(question);
    const [, keys = ''] = Object.entries(answers).find(([part]) => question.includes(part)) ?? [];
    // The question is listening once it is drawn.
    setImmediate(() => input.write(`${keys}\r`));
  });
  return { ...operator, asked };
}

/** Nobody: a build, or a pipe with this in it. */
export function playedPipe(piped = ''): PlayedOperator {
  const operator = played(false);
  operator.input.end(piped);
  return { ...operator, asked: [] };
}

function played(isTTY: boolean, onText: (text: string, input: PassThrough) => void = () => undefined) {
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), { isTTY });
  let shown = '';
  const show = (text: string) => {
    shown += text;
  };
  output.on('data', (chunk: Buffer) => {
    const text = stripVTControlCharacters(chunk.toString());
    show(text);
    onText(text, input);
  });
  return {
    input,
    terminal: { input, output },
    say: (text: string) => show(`${text}\n`),
    complain: (line: string) => show(`webengage-relay: ${line}\n`),
    shown: () => shown,
  };
}

export type Ran = RunOptions & { readonly command: string };

/** Programs that do nothing but be remembered; those whose command holds a key of `codes` end with its value. */
export function playedRun(codes: Readonly<Record<string, number>> = {}): { run: Run; ran: readonly Ran[] } {
  const ran: Ran[] = [];
  const run: Run = async (words, options) => {
    const command = words.join(' ');
    ran.push({ command, ...options });
    return Object.entries(codes).find(([part]) => command.includes(part))?.[1] ?? 0;
  };
  return { run, ran };
}
