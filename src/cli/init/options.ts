import type { Command } from 'commander';
import { refuseSecrets } from '../flags.ts';
import type { Answers } from './project.ts';
import { settingFlag } from './setting-flag.ts';

export type InitOptions = Partial<Answers> & {
  readonly dir: string;
  /** Ask only for the key, and take the defaults for everything else. */
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly secrets: boolean;
  readonly checkKey?: boolean;
};

/** How a command takes the API key. */
export const KEY_HELP = `
It asks for the API key, or reads it from WEBENGAGE_API_KEY or standard input.`;

/** Flags that a user may try for the key. */
export const KEY_FLAGS: readonly string[] = ['--key', '--api-key', '--webengage-api-key', '--admin-token'];

/** Adds the command `init`. */
export function addInit(program: Command, run: (options: InitOptions) => Promise<void>): void {
  const init = program.command('init');
  const setting = (of: keyof Answers, value: string, help: string) =>
    init.option(`--${of} <${value}>`, help, settingFlag(init, of));
  init
    .description('Create your own relay, ready to deploy to Cloudflare')
    .argument('[folder]', 'Where to create it', '.');
  setting('license', 'code', "WebEngage's license code, with its ~");
  setting('region', 'region', 'Where the account lives: global (default), in or ksa');
  setting('origins', 'origins', 'The sites that may send, separated by commas: https://shop.example.com');
  setting('name', 'name', "The Worker's name (default: webengage-relay)");
  setting('domain', 'host', 'Its host name in a zone of your account, such as t.example.com');
  refuseSecrets(init, KEY_FLAGS);
  init
    .option('--check-key', 'Check the key first, with one empty call to WebEngage')
    .option('--no-secrets', 'Only write the files')
    .option('-y, --yes', 'Accept the defaults, and ask only for the key')
    .option('--force', 'Overwrite existing files')
    .addHelpText('after', KEY_HELP)
    .action((dir: string, options: Omit<InitOptions, 'dir'>) => run({ ...options, dir }));
}
