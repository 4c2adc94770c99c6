import type { RecordKind } from '../../../contract/record.ts';
import type { AttributeType } from '../../../contract/rules/attributes.ts';
import { ImportError } from '../source.ts';
import type { DateFormat } from '../values/date-forms.ts';
import type { ColumnChoices } from './column-map.ts';
import { KINDS, type Target, targetByName, targetName, targetOf } from './target.ts';

/** A column of the file, and where its values go. */
export type Column = {
  readonly name: string;
  /** Undefined if the column is left out. */
  readonly target: Target | undefined;
  /** Who decided that, for the table. */
  readonly by: '--map' | '--column' | 'its name';
  /** What a map says beyond the field. */
  readonly type: AttributeType | undefined;
  readonly dateFormat: DateFormat | undefined;
};

/** Finds the target of one column. Throws if it has no possible one. */
export function mapColumn(name: string, choices: ColumnChoices, kind: RecordKind): Column {
  const chosen = choices.get(name);
  if (chosen === undefined) {
    const found = targetByName(name, kind);
    if ('target' in found)
      return { name, target: found.target, by: 'its name', type: undefined, dateFormat: undefined };
    throw new ImportError(`the column ${quoted(name)} ${found.fault}. ${RENAME(name, kind)}`);
  }
  const { choice, from } = chosen;
  if (choice === null) return { name, target: undefined, by: from, type: undefined, dateFormat: undefined };
  const found = targetOf(choice.field, kind);
  if (!('target' in found))
    throw new ImportError(
      `${from} gives the column ${quoted(name)} to ${quoted(choice.field)}, which ${found.fault}`,
    );
  if (found.target.of === 'field' && choice.type !== undefined)
    throw new ImportError(
      `${from} gives the column ${quoted(name)} a type, but WebEngage has one for ${choice.field}: leave it out`,
    );
  const { type, dateFormat } = choice;
  if (dateFormat !== undefined && type !== undefined && type !== 'date')
    throw new ImportError(
      `${from} gives the column ${quoted(name)} a dateFormat, but the type ${type}: leave one out`,
    );
  const isAttribute = found.target.of === 'attribute';
  const implied = dateFormat !== undefined && isAttribute ? 'date' : undefined;
  return { name, target: found.target, by: from, type: type ?? implied, dateFormat };
}

const quoted = (name: string) => JSON.stringify(name);

const RENAME = (name: string, kind: RecordKind) =>
  `Name a field with --column ${quoted(`${name}=${KINDS[kind].custom}.<name>`)}, or leave it out with --column ${quoted(`${name}=`)}`;

/** Throws if a header can't name columns: two names are the same, or one is missing. */
export function checkHeader(names: readonly string[], file: string): void {
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    if (name === '')
      throw new ImportError(
        `${file}, line 1: column ${index + 1} has no name: name it in the header, or remove it`,
      );
    const first = seen.get(name);
    if (first !== undefined)
      throw new ImportError(
        `${file}, line 1: columns ${first} and ${index + 1} are both named ${quoted(name)}: rename or remove one`,
      );
    seen.set(name, index + 1);
  }
}

/** Throws if the columns don't make records of this kind, or choices name columns that are not there. */
export function checkColumns(columns: readonly Column[], choices: ColumnChoices, kind: RecordKind): void {
  const names = columns.map(({ name }) => name);
  for (const [name, { from }] of choices)
    if (!names.includes(name))
      throw new ImportError(
        `${from} names the column ${quoted(name)}, which the file does not have. It has ${listed(names)}`,
      );
  const fields = new Map<string, string>();
  for (const { name, target } of columns) {
    if (target === undefined) continue;
    const field = targetName(target, kind);
    const other = fields.get(field);
    if (other !== undefined)
      throw new ImportError(
        `the columns ${quoted(other)} and ${quoted(name)} are both for ${field}: leave one out with --column ${quoted(`${name}=`)}`,
      );
    fields.set(field, name);
  }
  for (const needed of NEEDED[kind])
    if (!needed.some((field) => fields.has(field)))
      throw new ImportError(
        `no column is for ${needed.join(' or ')}, which ${KINDS[kind].owner} needs: name one with --column "<column>=${needed[0]}". The file has ${listed(names)}`,
      );
}

/** Each record needs one field of each group. */
const NEEDED: { readonly [kind in RecordKind]: readonly (readonly string[])[] } = {
  user: [['userId', 'anonymousId']],
  // The relay does not need a time, but takes the moment of the import for it.
  event: [['userId', 'anonymousId'], ['eventName'], ['eventTime']],
};

const MAX_LISTED = 20;

function listed(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  return names.slice(0, MAX_LISTED).map(quoted).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
