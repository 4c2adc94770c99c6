import { type Command, Option } from 'commander';
import { REGIONS, type Region } from '../../edge/settings/upstream.ts';
import { type ColumnChoice, parseColumnOption } from '../../import/read/columns/column-map.ts';
import { DELIMITERS, type Delimiter } from '../../import/read/csv-table.ts';
import { FORMATS } from '../../import/read/format.ts';
import { DATE_FORMATS, type DateFormat } from '../../import/read/values/date-forms.ts';
import { refuseSecrets, relayFlag } from '../flags.ts';

export type ImportOptions = {
  /** The path, or `-` for standard input. */
  readonly file: string;
  readonly kind: 'users' | 'events';
  readonly format?: (typeof FORMATS)[number];
  readonly delimiter?: Delimiter;
  /** The file of a map. */
  readonly map?: string;
  readonly column?: readonly (readonly [string, ColumnChoice])[];
  /** The tracking plan's file. */
  readonly plan?: string;
  readonly dateFormat?: DateFormat;
  /** The zone of dates that are written without one. */
  readonly timeZone: string;
  readonly repair?: boolean;
  /** In milliseconds. */
  readonly maxEventAge: number;
  readonly allowOldEvents?: boolean;
  readonly dryRun?: boolean;
  /** The relay's address, without a slash at the end. */
  readonly relay?: string;
  /** The variable with the relay's token. */
  readonly tokenEnv: string;
  /** Send to WebEngage itself. */
  readonly direct?: boolean;
  readonly licenseCode?: string;
  readonly region?: Region;
  /** The most direct calls in a minute. */
  readonly requestsPerMinute: number;
  /** The folder of the journal. */
  readonly journal?: string;
  /** The file to write refused rows to. */
  readonly rejects?: string;
  readonly json?: boolean;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const UNITS: { readonly [unit: string]: number } = { d: DAY_MS, h: DAY_MS / 24 };

const HELP = `
The first row of a CSV names the columns. JSON is an array of objects, or one object a line. Each may be gzip.
Columns with the name of a field become that field; others become custom attributes.

To continue an interrupted import, run the same command again.
With --direct, WEBENGAGE_API_KEY holds the API key.

Exit codes: 0 all rows are sent, or good; 1 it failed, and can be continued; 2 wrong usage; 3 complete, but some rows
were refused; 130 interrupted.`;

// Half of an account's allowance. Live traffic shares the account, and this import knows nothing of it.
const DIRECT_REQUESTS_PER_MINUTE = 250;
const MAX_REQUESTS_PER_MINUTE = 10_000;

// Flags that a user may try for a secret.
const SECRET_FLAGS = ['--token', '--key', '--api-key'];

/** The flags that say where rows go. */
function addSending(command: Command): void {
  const rateOf = (given: string): number => {
    const rate = Number(given);
    const isRate = Number.isInteger(rate) && rate >= 2 && rate <= MAX_REQUESTS_PER_MINUTE;
    return isRate
      ? rate
      : command.error(`--requests-per-minute must be a whole number from 2 to ${MAX_REQUESTS_PER_MINUTE}`);
  };
  const regionOf = (given: string): Region =>
    REGIONS.find((region) => region === given) ??
    command.error(`--region must be one of ${REGIONS.join(', ')}`);
  command
    .option('--relay <url>', 'Send to this relay, such as https://t.example.com', relayFlag(command))
    .option('--token-env <NAME>', "The variable that holds the relay's server token", 'SERVER_TOKEN')
    .option('--direct', 'Send to WebEngage itself, without a relay')
    .option('--license-code <code>', "Direct: WebEngage's license code (default: WEBENGAGE_LICENSE_CODE)")
    .option(
      '--region <region>',
      'Direct: where the account lives (default: WEBENGAGE_REGION, or global)',
      regionOf,
    )
    .option(
      '--requests-per-minute <number>',
      'Direct: the most calls a minute, of the 500 that the whole account has',
      rateOf,
      DIRECT_REQUESTS_PER_MINUTE,
    )
    .option(
      '--journal <folder>',
      'The folder that records which rows are sent (default: <file>.webengage-journal)',
    );
  refuseSecrets(command, SECRET_FLAGS);
}

/** The mistake in the flags that say where rows go, if there is one. */
function mistakeIn({ relay, direct, dryRun }: ImportOptions): string | undefined {
  if (relay !== undefined && direct) return 'use --relay or --direct, not both';
  return relay === undefined && !direct && !dryRun
    ? 'say where the rows go: --relay <url>, or --direct. Or only check them: --dry-run'
    : undefined;
}

/** Adds the command `import`. */
export function addImport(program: Command, run: (options: ImportOptions) => Promise<void>): void {
  const command = program.command('import');
  const oneOf =
    <Value extends string>(flag: string, values: readonly Value[]) =>
    (given: string): Value =>
      values.find((value) => value === given) ?? command.error(`${flag} must be one of ${values.join(', ')}`);
  const columns = (given: string, earlier: ImportOptions['column'] = []): ImportOptions['column'] => [
    ...earlier,
    parseColumnOption(given) ??
      command.error('--column must be a column and a field, such as "E-mail=email"'),
  ];
  const durationOf = (given: string): number => {
    const [, amount, unit = ''] = /^(\d{1,5})([dh])$/.exec(given) ?? [];
    const ms = Number(amount) * (UNITS[unit] ?? Number.NaN);
    return ms > 0 ? ms : command.error('--max-event-age must be days or hours, such as 31d or 12h');
  };
  const delimiterOf = (given: string): Delimiter =>
    DELIMITERS.find((one) => one === given || (one === '\t' && ['tab', '\\t'].includes(given))) ??
    command.error('--delimiter must be one of , ; | tab');
  command
    .description('Send a file of users or events, or only check it')
    .argument('<file>', 'CSV, NDJSON or a JSON array, also as gzip; - is standard input')
    .addOption(
      new Option('--kind <kind>', 'The kind of the rows: users or events')
        .argParser(oneOf('--kind', ['users', 'events']))
        .makeOptionMandatory(),
    )
    .option(
      '--format <format>',
      'csv, json or ndjson (default: by the first character)',
      oneOf('--format', FORMATS),
    )
    .option(
      '--delimiter <character>',
      'The delimiter of a CSV: , ; | tab (default: by the header)',
      delimiterOf,
    )
    .option('--map <file>', 'A JSON file that gives columns to fields; null leaves one out')
    .option('--column <column=field>', 'Give one column to a field; may be repeated', columns)
    .option('--plan <file>', 'The tracking plan, for the types of attributes')
    .option(
      '--date-format <format>',
      `How dates are written: ${DATE_FORMATS.join(', ')}`,
      oneOf('--date-format', DATE_FORMATS),
    )
    .option('--time-zone <zone>', 'The zone of dates without one, such as Europe/Berlin', 'UTC')
    .option('--repair', 'Cut or leave out single values that break a rule, in place of refusing their rows')
    .addOption(
      new Option('--max-event-age <age>', 'Refuse older events, because they still start journeys')
        .argParser(durationOf)
        .default(31 * DAY_MS, '31d'),
    )
    .option('--allow-old-events', 'Take events of any age')
    .option('--dry-run', 'Only check the rows, and send nothing')
    .option('--rejects <file>', 'Write refused rows to this file, as NDJSON')
    .option('--json', 'Print the result as JSON')
    .addHelpText('after', HELP)
    .action((file: string, options: Omit<ImportOptions, 'file'>) => {
      const given = { ...options, file };
      const mistake = mistakeIn(given);
      if (mistake !== undefined) command.error(mistake);
      return run(given);
    });
  addSending(command);
}
