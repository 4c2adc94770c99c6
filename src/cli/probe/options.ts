import type { Command } from 'commander';
import { refuseSecrets } from '../flags.ts';
import { KEY_FLAGS, KEY_HELP } from '../init/options.ts';
import { settingFlag } from '../init/setting-flag.ts';

export type ProbeOptions = {
  readonly license?: string;
  readonly region?: string;
  /** The file of the profile. */
  readonly out: string;
  /** Make all calls without asking. */
  readonly yes?: boolean;
  /** Ask before each call. */
  readonly step?: boolean;
};

/** Adds the command `probe`. */
export function addProbe(program: Command, run: (options: ProbeOptions) => Promise<void>): void {
  const probe = program.command('probe');
  probe
    .description('Ask a WebEngage test account what its documents leave open, and write its profile')
    .option('--license <code>', "The test account's license code, with its ~", settingFlag(probe, 'license'))
    .option('--region <region>', 'Where it lives: global (default), in or ksa', settingFlag(probe, 'region'))
    .option('--out <file>', 'The file to write', 'webengage-profile.json')
    .option('--step', 'Ask before each call')
    .option('-y, --yes', 'Make all calls without a question');
  refuseSecrets(probe, KEY_FLAGS);
  probe.addHelpText('after', KEY_HELP).action((options: ProbeOptions) => {
    if (options.yes && options.step) probe.error('--yes asks nothing, so it cannot be used with --step');
    return run(options);
  });
}
