import type { Command } from 'commander';

export type TypesOptions = {
  /** The tracking plan's file. */
  readonly plan: string;
  /** The file to write. Without it the types are printed. */
  readonly out?: string;
  /** The name of the events' type. */
  readonly name: string;
  /** Write nothing, and check whether the file is up to date. */
  readonly check?: boolean;
};

// A capital first, because no keyword of TypeScript begins with one. `Date` and `Record` occur in the generated types.
const TYPE_NAME = /^(?!(Date|Record)$)[A-Z]\w*$/;

/** Adds the command `types`. */
export function addTypes(program: Command, run: (options: TypesOptions) => Promise<void>): void {
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
