import { Command, CommanderError, Option, type OutputConfiguration } from 'commander';
import { VERSION } from '../contract/version.ts';
import { addressOf } from './address.ts';
import { addErase, type EraseOptions } from './erase/options.ts';
import type { ExitCode } from './exit-code.ts';
import { addImport, type ImportOptions } from './import/options.ts';
import type { Answers } from './init/project.ts';
import { FAULTS } from './init/validate-settings.ts';
import { addRestore, type RestoreOptions } from './restore/restore.ts';

export type DevOptions = {
  /** Of the relay, the sandbox, and a page to try them: three that differ. */
  readonly port: number;
  readonly sandboxPort: number;
  readonly pagePort: number;
  /** The sites that may send, with commas; undefined: all. */
  readonly origins?: string;
  /** The file of an account's profile, which the sandbox is to play. */
  readonly profile?: string;
};

export type InitOptions = Partial<Answers> & {
  readonly dir: string;
  /** Nothing is asked but the key: what is not given is at its default. */
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly secrets: boolean;
  readonly checkKey?: boolean;
};

export type DoctorOptions = {
  /** The relay's address, without a slash at its end. */
  readonly url: string;
  readonly origin?: string;
  readonly adminTokenEnv?: string;
  readonly json?: boolean;
};

export type TypesOptions = {
  /** The tracking plan's file. */
  readonly plan: string;
  /** The file of the types; without it they are printed. */
  readonly out?: string;
  /** The name of the events' type. */
  readonly name: string;
  /** Nothing is written: are they as the plan says? */
  readonly check?: boolean;
};

export type ProbeOptions = {
  readonly license?: string;
  readonly region?: string;
  /** The file of the profile. */
  readonly out: string;
  /** All calls are made without a question. */
  readonly yes?: boolean;
  /** Each call is asked for. */
  readonly step?: boolean;
};

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

const MAX_PORT = 65_535;

const KEY_HELP = `
It asks for the API key, or reads it from WEBENGAGE_API_KEY or standard input.`;

// Flags that a user may try for the key.
const SECRET_FLAGS = ['--key', '--api-key', '--webengage-api-key', '--admin-token'];

// A capital first: no word that TypeScript has for itself begins so. Two types are named in what is written.
const TYPE_NAME = /^(?!(Date|Record)$)[A-Z]\w*$/;

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

/** Takes a flag's value as it is, if the relay would. An error names the flag in place of the setting. */
const valid =
  (command: Command, of: keyof Answers) =>
  (given: string): string => {
    const fault = FAULTS[of](given);
    return fault === undefined ? given : command.error(`--${of} ${fault.replace(/^.*?(?=must )/, '')}`);
  };

type Run<Options> = (options: Options) => Promise<void>;

function addDev(program: Command, run: Run<DevOptions>): void {
  const dev = program.command('dev');
  const portOf = (given: string): number => {
    const port = Number(given);
    const isPort = Number.isInteger(port) && port >= 1 && port <= MAX_PORT;
    return isPort ? port : dev.error(`a port must be a whole number from 1 to ${MAX_PORT}`);
  };
  dev
    .description('Run a relay and a WebEngage sandbox on this machine: no account, no key')
    .option('--port <port>', "The relay's port", portOf, 8787)
    .option('--sandbox-port <port>', "The sandbox's port", portOf, 8788)
    .option('--page-port <port>', "The first page's port", portOf, 8789)
    .option(
      '--origins <origins>',
      'The sites that may send, separated by commas (default: all)',
      valid(dev, 'origins'),
    )
    .option('--profile <file>', 'Play an account: the file that webengage-relay probe has written')
    .addHelpText('after', '\nIn a folder that init created, it runs that relay with its settings.')
    .action((options: DevOptions) => {
      const { port, sandboxPort, pagePort } = options;
      if (new Set([port, sandboxPort, pagePort]).size < 3)
        dev.error('relay, sandbox and page must have different ports');
      return run(options);
    });
}

function addInit(program: Command, run: Run<InitOptions>): void {
  const init = program.command('init');
  const setting = (of: keyof Answers, value: string, help: string) =>
    init.option(`--${of} <${value}>`, help, valid(init, of));
  init
    .description('Create your own relay, ready to deploy to Cloudflare')
    .argument('[folder]', 'Where to create it', '.');
  setting('license', 'code', "WebEngage's license code, with its ~");
  setting('region', 'region', 'Where the account lives: global (default), in or ksa');
  setting('origins', 'origins', 'The sites that may send, separated by commas: https://shop.example.com');
  setting('name', 'name', "The Worker's name (default: webengage-relay)");
  setting('domain', 'host', 'Its host name in a zone of your account, such as t.example.com');
  refuseSecrets(init);
  init
    .option('--check-key', 'Check the key first, with one empty call to WebEngage')
    .option('--no-secrets', 'Only write the files')
    .option('-y, --yes', 'Accept the defaults, and ask only for the key')
    .option('--force', 'Overwrite existing files')
    .addHelpText('after', KEY_HELP)
    .action((dir: string, options: Omit<InitOptions, 'dir'>) => run({ ...options, dir }));
}

function refuseSecrets(command: Command): void {
  for (const flag of SECRET_FLAGS) {
    const refuse = () =>
      command.error(`there is no ${flag}, because a secret in a flag stays in the shell's history`);
    command.addOption(new Option(`${flag} <secret>`).hideHelp().argParser(refuse));
  }
}

function addDoctor(program: Command, run: Run<DoctorOptions>): void {
  const doctor = program.command('doctor');
  const urlOf = (given: string): string =>
    addressOf(given) ??
    doctor.error("the relay's address must be an http or https URL such as https://t.example.com");
  // The address of any page of it will do.
  const originOf = (given: string): string => {
    const address = addressOf(given);
    return address === undefined
      ? doctor.error("--origin must be a site's address such as https://shop.example.com")
      : new URL(address).origin;
  };
  doctor
    .description('Check a running relay; exits with 1 if something is wrong')
    .argument('<url>', "The relay's address, such as https://t.example.com", urlOf)
    .option('--origin <origin>', 'Check that this site may send', originOf)
    .option(
      '--admin-token-env <NAME>',
      'The variable that holds the ADMIN_TOKEN: also check backlog and dead letters',
    )
    .option('--json', 'Print the result as JSON')
    .action((url: string, options: Omit<DoctorOptions, 'url'>) => run({ ...options, url }));
}

function addTypes(program: Command, run: Run<TypesOptions>): void {
  const types = program.command('types');
  const nameOf = (given: string): string =>
    TYPE_NAME.test(given) ? given : types.error('--name must be the name of a type, such as ShopEvents');
  types
    .description('Write TypeScript types for a tracking plan')
    .argument('[plan]', "The tracking plan's file", 'tracking-plan.json')
    .option('--out <file>', 'The file to write; without it the types are printed')
    .option('--name <name>', "The name of the events' type", nameOf, 'Events')
    .option('--check', 'Write nothing; exits with 1 if the file is out of date')
    .action((plan: string, options: Omit<TypesOptions, 'plan'>) => {
      if (options.check && options.out === undefined) types.error('--check needs --out, the file to check');
      return run({ ...options, plan });
    });
}

function addProbe(program: Command, run: Run<ProbeOptions>): void {
  const probe = program.command('probe');
  probe
    .description('Ask a WebEngage test account what its documents leave open, and write its profile')
    .option('--license <code>', "The test account's license code, with its ~", valid(probe, 'license'))
    .option('--region <region>', 'Where it lives: global (default), in or ksa', valid(probe, 'region'))
    .option('--out <file>', 'The file to write', 'webengage-profile.json')
    .option('--step', 'Ask before each call')
    .option('-y, --yes', 'Make all calls without a question');
  refuseSecrets(probe);
  probe.addHelpText('after', KEY_HELP).action((options: ProbeOptions) => {
    if (options.yes && options.step) probe.error('--yes asks nothing, so it cannot be used with --step');
    return run(options);
  });
}
