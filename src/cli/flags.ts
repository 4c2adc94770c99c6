import { type Command, Option } from 'commander';
import { addressOf } from './address.ts';

/** Parses the address of a relay, as trackers have it. */
export const relayFlag =
  (command: Command) =>
  (given: string): string =>
    addressOf(given) ?? command.error('--relay must be an http or https URL such as https://t.example.com');

/** Refuses flags that a user may try for a secret, without repeating their values. */
export function refuseSecrets(command: Command, flags: readonly string[]): void {
  for (const flag of flags) {
    const refuse = () =>
      command.error(`there is no ${flag}, because a secret in a flag stays in the shell's history`);
    command.addOption(new Option(`${flag} <secret>`).hideHelp().argParser(refuse));
  }
}
