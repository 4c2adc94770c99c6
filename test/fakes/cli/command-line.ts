import { type Actions, runCommand } from '../../../src/cli/command.ts';

export type Understood = {
  readonly code: number;
  /** The command that was run, and its options; undefined where none was. */
  readonly command: string | undefined;
  readonly options: unknown;
  readonly printed: string;
  readonly complained: string;
};

/** What a command line comes to, with commands that do nothing and end with 1. */
export async function understood(args: readonly string[]): Promise<Understood> {
  let [printed, complained] = ['', ''];
  let ran: { readonly command: string; readonly options: unknown } | undefined;
  const remember = (command: keyof Actions) => async (options: unknown) => {
    ran = { command, options };
    return 1 as const;
  };
  const actions: Actions = {
    dev: remember('dev'),
    init: remember('init'),
    doctor: remember('doctor'),
    types: remember('types'),
    import: remember('import'),
    probe: remember('probe'),
    erase: remember('erase'),
    restore: remember('restore'),
  };
  const code = await runCommand(args, actions, {
    writeOut: (text) => {
      printed += text;
    },
    writeErr: (text) => {
      complained += text;
    },
  });
  return { code, command: ran?.command, options: ran?.options, printed, complained };
}
