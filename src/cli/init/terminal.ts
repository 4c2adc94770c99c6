import type { Readable, Writable } from 'node:stream';
import { type CANCEL_SYMBOL, isCancel, updateSettings } from '@clack/prompts';
import type { ExitCode } from '../exit-code.ts';

/** Where questions are asked and answered. */
export type Terminal = {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
};

/** Somebody is there to answer. */
export const isInteractive = ({ input, output }: Terminal): boolean =>
  input.isTTY === true && output.isTTY === true;

/** Why there is no answer, and how the command ends. */
export class NoAnswer extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

// By itself Clack stops listening at Ctrl-D, and the question never ends.
updateSettings({ aliases: { '\u0004': 'cancel' } });

/** The answer to a question of Clack's. Throws `NoAnswer` at Ctrl-C, Ctrl-D or Escape. */
export function answered<Answer>(answer: Answer | typeof CANCEL_SYMBOL): Answer {
  if (isCancel(answer)) throw new NoAnswer('interrupted', 130);
  return answer;
}
