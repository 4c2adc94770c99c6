import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** Where questions are asked, and answers given. */
export type Terminal = {
  /** Somebody is there to answer. */
  readonly interactive: boolean;
  readonly say: (line: string) => void;
  /** Resolves to one line, without the spaces around it. Rejects with `Interrupted` where none comes any more. */
  readonly ask: (question: string) => Promise<string>;
  /** The same for what must not be seen: nothing of it is shown. With nobody there, it is all that is piped in. */
  readonly askSecret: (question: string) => Promise<string>;
};

/** Ctrl-C or Ctrl-D, in place of an answer. */
export class Interrupted extends Error {}

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

export function terminalOf(input: Input, output: Output): Terminal {
  const interactive = input.isTTY === true && output.isTTY === true;
  return {
    interactive,
    say: (line) => {
      output.write(`${line}\n`);
    },
    ask: (question) => lineFrom(input, output, question),
    askSecret: async (question) => {
      if (!interactive) return (await text(input)).trim();
      output.write(question);
      const secret = await lineFrom(input, nowhere(), '');
      // The line's own end was not shown either.
      output.write('\n');
      return secret;
    },
  };
}

async function lineFrom(input: Input, output: Output, question: string): Promise<string> {
  // One of its own for each question: between them the input belongs to the programs we start.
  const lines = createInterface({ input, output, terminal: true, historySize: 0 });
  const closed = new Promise<never>((_, reject) => lines.once('close', () => reject(new Interrupted())));
  // Later versions of Node reject at Ctrl-C by themselves, earlier ones never answer.
  const answered = lines.question(question).catch(() => closed);
  try {
    return (await Promise.race([answered, closed])).trim();
  } finally {
    closed.catch(() => undefined);
    lines.close();
  }
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
