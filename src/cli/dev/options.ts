import type { Command } from 'commander';
import { settingFlag } from '../init/setting-flag.ts';

export type DevOptions = {
  /** The ports of the relay, the sandbox and the first page. All three differ. */
  readonly port: number;
  readonly sandboxPort: number;
  readonly pagePort: number;
  /** The sites that may send, separated by commas. Undefined allows all. */
  readonly origins?: string;
  /** The file of an account's profile: the sandbox behaves as that account. */
  readonly profile?: string;
};

const MAX_PORT = 65_535;

/** Adds the command `dev`. */
export function addDev(program: Command, run: (options: DevOptions) => Promise<void>): void {
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
      settingFlag(dev, 'origins'),
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
