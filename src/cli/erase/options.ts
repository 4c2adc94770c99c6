import { type Command, Option } from 'commander';
import { refuseSecrets, relayFlag } from '../flags.ts';

export type EraseOptions = {
  /** The relay's address, without a slash at its end. */
  readonly relay: string;
  /** The id, or `-`: ids from standard input, one a line. */
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly upstream?: boolean;
  readonly lift?: boolean;
  /** The variable with the relay's ADMIN_TOKEN. */
  readonly tokenEnv: string;
  readonly json?: boolean;
};

const HELP = `
It removes the person's records that wait, and dead letters, and refuses new records of them for 8 days.
A repeat does no harm: run the same command again if it exits with 1.

Exit codes: 0 all outboxes have answered; 1 one has not, or WebEngage did not take the request; 2 wrong usage.`;

// Flags that a user may try for the token.
const SECRET_FLAGS = ['--token', '--admin-token'];

/** Adds the command `erase`. */
export function addErase(program: Command, run: (options: EraseOptions) => Promise<void>): void {
  const command = program.command('erase');
  command
    .description('Erase a person from a relay, and print the receipt')
    .addOption(
      new Option('--relay <url>', "The relay's address, such as https://t.example.com")
        .argParser(relayFlag(command))
        .makeOptionMandatory(),
    )
    .option('--user-id <id>', 'The person by their userId; - reads ids from standard input, one a line')
    .option('--anonymous-id <id>', 'The person by their anonymousId; - as above')
    .option('--upstream', "Also file WebEngage's own erasure request; needs a userId")
    .option('--lift', 'Take records of an erased person again, in place of erasing')
    .option('--token-env <NAME>', "The variable that holds the relay's ADMIN_TOKEN", 'ADMIN_TOKEN')
    .option('--json', 'Print each receipt as a line of JSON')
    .addHelpText('after', HELP)
    .action((options: EraseOptions) => {
      const mistake = mistakeIn(options);
      if (mistake !== undefined) command.error(mistake);
      return run(options);
    });
  refuseSecrets(command, SECRET_FLAGS);
}

/** The mistake in the flags, if there is one. It never contains an id. */
function mistakeIn({ userId, anonymousId, upstream, lift }: EraseOptions): string | undefined {
  if ((userId === undefined) === (anonymousId === undefined))
    return 'name the person by --user-id or --anonymous-id, one of the two';
  if (upstream && lift) return '--lift erases nothing, so it cannot be used with --upstream';
  return upstream && userId === undefined
    ? "--upstream needs --user-id, because WebEngage's privacy API knows no anonymous id"
    : undefined;
}
