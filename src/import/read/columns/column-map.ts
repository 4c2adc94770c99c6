import {
  type InferOutput,
  nullable,
  optional,
  picklist,
  pipe,
  record,
  safeParse,
  strictObject,
  string,
  transform,
  unknown,
} from 'valibot';
import { type Issue, toIssues } from '../../../contract/issue.ts';
import { isPlainObject } from '../../../contract/rules/attributes.ts';
import { TYPES } from '../../../plan/plan.ts';
import { DATE_FORMATS } from '../values/date-forms.ts';

const COLUMN_RULE = 'must be a field, null, or an object with field, type and dateFormat';

const columnSchema = strictObject(
  {
    field: string('must be a field, such as email or attributes.Plan'),
    type: optional(picklist(TYPES, `must be one of ${TYPES.join(', ')}`)),
    dateFormat: optional(picklist(DATE_FORMATS, `must be one of ${DATE_FORMATS.join(', ')}`)),
  },
  ({ expected }) => (expected === 'never' ? 'is not known: use field, type and dateFormat' : COLUMN_RULE),
);

const mapSchema = record(
  string(),
  pipe(
    unknown(),
    // The short form is the field alone.
    transform((input) => (typeof input === 'string' ? { field: input } : input)),
    nullable(columnSchema),
  ),
);

/** What the user has said about a column. Null leaves it out. */
export type ColumnChoice = InferOutput<typeof columnSchema> | null;

/** What the user has said, by the name of the column, and where. */
export type ColumnChoices = ReadonlyMap<
  string,
  { readonly choice: ColumnChoice; readonly from: '--map' | '--column' }
>;

export type ParsedMap =
  | { readonly ok: true; readonly choices: ColumnChoices }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Parses the JSON of a map. */
export function parseColumnMap(input: unknown): ParsedMap {
  if (!isPlainObject(input))
    return { ok: false, issues: [{ path: '', message: 'must be an object: each column, and its field' }] };
  const { success, output, issues } = safeParse(mapSchema, input);
  if (!success) return { ok: false, issues: toIssues(issues) };
  const choices = Object.entries(output).map(([name, choice]) => [name, { choice, from: '--map' }] as const);
  return { ok: true, choices: new Map(choices) };
}

/** Parses `E-mail=email`. Nothing after the sign leaves the column out. Undefined without a sign or a column. */
export function parseColumnOption(given: string): readonly [string, ColumnChoice] | undefined {
  // A column's name may hold the sign, but no field's name does.
  const at = given.lastIndexOf('=');
  if (at < 1) return undefined;
  const field = given.slice(at + 1);
  return [given.slice(0, at), field === '' ? null : { field }];
}
