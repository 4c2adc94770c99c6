import type { Command } from 'commander';
import type { Answers } from './project.ts';
import { FAULTS } from './validate-settings.ts';

/** Parses the flag of a setting: takes the value if the relay would. An error names the flag in place of the setting. */
export const settingFlag =
  (command: Command, of: keyof Answers) =>
  (given: string): string => {
    const fault = FAULTS[of](given);
    return fault === undefined ? given : command.error(`--${of} ${fault.replace(/^.*?(?=must )/, '')}`);
  };
