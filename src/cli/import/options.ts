import { type Command, Option } from 'commander';
import { type ColumnChoice, parseColumnOption } from '../../import/read/columns/column-map.ts';
import { DELIMITERS, type Delimiter } from '../../import/read/csv-table.ts';
import { FORMATS } from '../../import/read/format.ts';
import { DATE_FORMATS, type DateFormat } from '../../import/read/values/date-forms.ts';

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
  /** The zone of dates that name none. */
  readonly timeZone: string;
  readonly repair?: boolean;
  /** In milliseconds. */
  readonly maxEventAge: number;
  readonly allowOldEvents?: boolean;
  readonly dryRun?: boolean;
  /** The file to write refused rows to. */
  readonly rejects?: string;
  readonly json?: boolean;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const UNITS: { readonly [unit: string]: number } = { d: DAY_MS, h: DAY_MS / 24 };

const HELP = `
The first row of a CSV names the columns. JSON is an array of objects, or one object a line. Each may be gzip.
Columns with the name of a field become that field; others become custom attributes.

Exit codes: 0 all rows are good; 1 the file or the options can't be used; 2 a wrong call; 3 rows were refused.`;

/** Adds the command `import`. */
export function addImport(program: Command, run: (options: ImportOptions) => Promise<void>): void {
  const command = program.command('import');
  const oneOf =
    <Value extends string>(flag: string, values: readonly Value[]) =>
    (given: string): Value =>
      values.find((value) => value === given) ?? command.error(`${flag} must be one of ${values.join(', ')}`);
  const columns = (given: string, earlier: ImportOptions['column'] = []): ImportOptions['column'] => [
    ...earlier,
    parseColumnOption(given) ?? command.error('--column must be a column and a field, such as "E-mail=email"'),
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
    .description('Check a file of users or events, row by row')
    .argument('<file>', 'CSV, NDJSON or a JSON array, also as gzip; - is standard input')
    .addOption(
      new Option('--kind <kind>', 'What a row is: users or events')
        .argParser(oneOf('--kind', ['users', 'events']))
        .makeOptionMandatory(),
    )
    .option('--format <format>', 'csv, json or ndjson (default: by the first character)', oneOf('--format', FORMATS))
    .option('--delimiter <character>', 'The delimiter of a CSV: , ; | tab (default: by the header)', delimiterOf)
    .option('--map <file>', 'A JSON file that gives columns to fields; null leaves one out')
    .option('--column <column=field>', 'Give one column to a field; may be repeated', columns)
    .option('--plan <file>', 'The tracking plan, for the types of attributes')
    .option('--date-format <format>', `How dates are written: ${DATE_FORMATS.join(', ')}`, oneOf('--date-format', DATE_FORMATS))
    .option('--time-zone <zone>', 'The zone of dates that name none, such as Europe/Berlin', 'UTC')
    .option('--repair', 'Cut or leave out single values that break a rule, in place of refusing their rows')
    .addOption(
      new Option('--max-event-age <age>', 'Refuse older events, because they still start journeys')
        .argParser(durationOf)
        .default(31 * DAY_MS, '31d'),
    )
    .option('--allow-old-events', 'Take events of any age')
    .option('--dry-run', 'Only check the rows')
    .option('--rejects <file>', 'Write refused rows to this file, as NDJSON')
    .option('--json', 'Print the result as JSON')
    .addHelpText('after', HELP)
    .action((file: string, options: Omit<ImportOptions, 'file'>) => {
      if (!options.dryRun) command.error('--dry-run is needed: this release only checks');
      return run({ ...options, file });
    });
}
