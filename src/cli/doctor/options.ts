import type { Command } from 'commander';
import { addressOf } from '../address.ts';

export type DoctorOptions = {
  /** The relay's address, without a slash at its end. */
  readonly url: string;
  readonly origin?: string;
  readonly adminTokenEnv?: string;
  readonly json?: boolean;
};

/** Adds the command `doctor`. */
export function addDoctor(program: Command, run: (options: DoctorOptions) => Promise<void>): void {
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
