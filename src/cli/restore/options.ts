import { type Command, Option } from 'commander';
import { relayFlag } from '../flags.ts';

export type RestoreOptions = {
  /** The relay's address, without a slash at its end. */
  readonly relay: string;
  readonly outbox: string;
  readonly at?: string;
  readonly undo?: boolean;
  readonly resume?: boolean;
  /** Restore. Without it the cost is only shown. */
  readonly yes?: boolean;
  /** The variable with the ADMIN_TOKEN. */
  readonly adminTokenEnv: string;
};

const HELP = `
Without --yes it only shows what would be lost and sent twice at most.
A restored outbox is on hold: browsers and servers keep their records until you give --resume or --undo.
Read docs/guides/restoring-an-outbox.md first.`;

/** Adds the command `restore`. */
export function addRestore(program: Command, run: (options: RestoreOptions) => Promise<void>): void {
  const command = program.command('restore');
  const required = (flags: string, help: string) => new Option(flags, help).makeOptionMandatory();
  command
    .description('Restore one outbox of a relay to an earlier moment')
    .addOption(
      required('--relay <url>', "The relay's address, such as https://t.example.com").argParser(
        relayFlag(command),
      ),
    )
    .addOption(required('--outbox <name>', 'The outbox, such as 1/0: GET /admin/status names them'))
    .option('--at <moment>', 'The moment, such as 2026-11-23T15:45:00Z, within the last 30 days')
    .option('--undo', 'Undo the restore, until the outbox is resumed')
    .option('--resume', 'End the hold: the outbox sends and stores again')
    .option('-y, --yes', 'Restore, after showing the cost')
    .option('--admin-token-env <NAME>', 'The variable that holds the ADMIN_TOKEN', 'ADMIN_TOKEN')
    .addHelpText('after', HELP)
    .action((options: RestoreOptions) => {
      const chosen = [options.at !== undefined, options.undo, options.resume].filter(Boolean);
      if (chosen.length !== 1) command.error('use one of --at, --undo and --resume');
      if (options.yes && options.at === undefined) command.error('--yes needs --at');
      return run(options);
    });
}
