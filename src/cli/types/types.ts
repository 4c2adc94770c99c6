import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { toTypeScript } from '../../plan/typescript.ts';
import type { ExitCode } from '../exit-code.ts';
import { readPlan } from '../json-file.ts';
import type { TypesOptions } from './options.ts';

type World = {
  /** Prints a line, or a whole file. */
  readonly say: (text: string) => void;
  readonly complain: (line: string) => void;
};

/** Writes the types of a tracking plan, or checks whether they are up to date. */
export async function types(options: TypesOptions, { say, complain }: World): Promise<ExitCode> {
  const { plan: source, out, name, check } = options;
  const read = await readPlan(source);
  if (!read.ok) {
    for (const fault of read.faults) complain(`${source}: ${fault}`);
    return 1;
  }
  const written = toTypeScript(read.plan, { events: name, source: basename(source) });
  if (out === undefined) {
    say(written.trimEnd());
    return 0;
  }
  // Git may have changed its line breaks.
  const isWritten = (await textOf(out))?.replaceAll('\r\n', '\n') === written;
  if (isWritten) {
    say(`${out} is up to date with ${source}`);
    return 0;
  }
  if (check) {
    complain(
      `${out} is out of date with ${source}: run webengage-relay types ${source} --out ${out} --name ${name}`,
    );
    return 1;
  }
  try {
    await writeFile(out, written);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return 1;
  }
  say(`wrote ${out}`);
  return 0;
}

/** Undefined if the file does not exist or can't be read. */
async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
