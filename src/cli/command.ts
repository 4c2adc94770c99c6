import { Command, CommanderError, type OutputConfiguration } from 'commander';
import { VERSION } from '../contract/version.ts';
import { addDev, type DevOptions } from './dev/options.ts';
import { addDoctor, type DoctorOptions } from './doctor/options.ts';
import { addErase, type EraseOptions } from './erase/options.ts';
import type { ExitCode } from './exit-code.ts';
import { addImport, type ImportOptions } from './import/options.ts';
import { addInit, type InitOptions } from './init/options.ts';
import { addProbe, type ProbeOptions } from './probe/options.ts';
import { addRestore, type RestoreOptions } from './restore/options.ts';
import { addTypes, type TypesOptions } from './types/options.ts';

/** What each command does. */
export type Actions = {
  readonly dev: (options: DevOptions) => Promise<ExitCode>;
  readonly init: (options: InitOptions) => Promise<ExitCode>;
  readonly doctor: (options: DoctorOptions) => Promise<ExitCode>;
  readonly types: (options: TypesOptions) => Promise<ExitCode>;
  readonly import: (options: ImportOptions) => Promise<ExitCode>;
  readonly probe: (options: ProbeOptions) => Promise<ExitCode>;
  readonly erase: (options: EraseOptions) => Promise<ExitCode>;
  readonly restore: (options: RestoreOptions) => Promise<ExitCode>;
};

/** Where help and errors go. */
export type Output = Pick<OutputConfiguration, 'writeOut' | 'writeErr'>;

/** Runs a command line, without the program's own name; resolves to the exit code. */
export async function runCommand(
  args: readonly string[],
  actions: Actions,
  output: Output = {},
): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = new Command('webengage-relay')
    .description('Reliable event tracking for WebEngage.')
    .version(VERSION, '-v, --version', 'Print the version')
    .helpOption('-h, --help', 'Print this help')
    .helpCommand('help [command]', 'Print the help of a command')
    .showHelpAfterError('Try webengage-relay --help, or webengage-relay help <command>.')
    .configureOutput({
      ...output,
      outputError: (message, write) => write(`webengage-relay: ${withoutValues(message)}`),
    })
    .exitOverride();
  const end = async (ended: Promise<ExitCode>) => {
    code = await ended;
  };
  addDev(program, (options) => end(actions.dev(options)));
  addInit(program, (options) => end(actions.init(options)));
  addDoctor(program, (options) => end(actions.doctor(options)));
  addTypes(program, (options) => end(actions.types(options)));
  addImport(program, (options) => end(actions.import(options)));
  addProbe(program, (options) => end(actions.probe(options)));
  addErase(program, (options) => end(actions.erase(options)));
  addRestore(program, (options) => end(actions.restore(options)));
  for (const command of program.commands)
    command.showHelpAfterError(`Try webengage-relay help ${command.name()}.`);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

/** Commander's message without the typed values: one of them may be a secret. */
const withoutValues = (message: string): string =>
  message
    .replace(/^error: /, '')
    .replace(/^(unknown option '[^=]+)=.*'/s, "$1'")
    .replace(/^(too many arguments .* but got \d+): .*\./s, '$1.');
