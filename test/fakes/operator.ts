import type { Run, RunOptions } from '../../src/cli/spawn.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

export type PlayedTerminal = Terminal & {
  /** All that was shown, questions too. */
  readonly shown: () => string;
  /** The questions that were asked, in order. */
  readonly asked: readonly string[];
};

/**
 * A terminal with an operator who answers by what a question holds, the same question again by the next of several.
 * A secret is asked for like anything else. Without answers nobody is there.
 */
export function playedTerminal(
  answers?: Readonly<Record<string, string | readonly string[]>>,
): PlayedTerminal {
  const lines: string[] = [];
  const asked: string[] = [];
  const times = new Map<string, number>();
  const ask = async (question: string) => {
    lines.push(question);
    asked.push(question);
    const [part, answer] = Object.entries(answers ?? {}).find(([part]) => question.includes(part)) ?? [];
    if (part === undefined || answer === undefined) return '';
    const time = times.get(part) ?? 0;
    times.set(part, time + 1);
    return typeof answer === 'string' ? answer : (answer[time] ?? '');
  };
  return {
    interactive: answers !== undefined,
    say: (line) => void lines.push(line),
    ask,
    askSecret: ask,
    shown: () => lines.join('\n'),
    asked,
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
