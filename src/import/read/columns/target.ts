import { eventFields } from '../../../contract/event.ts';
import type { RecordKind } from '../../../contract/record.ts';
import { nameRule } from '../../../contract/rules/attributes.ts';
import { userFields } from '../../../contract/user.ts';
import type { ValueType } from '../values/convert.ts';

/** Where a column's values go: a field of WebEngage, or a custom attribute. */
export type Target = { readonly of: 'field' | 'attribute'; readonly name: string };

type KindOfRecord = {
  /** The fields of a record, without its custom attributes. */
  readonly fields: readonly string[];
  /** The field that holds custom attributes. */
  readonly custom: 'attributes' | 'eventData';
  /** Fields that only the other kind has. Such a column in this kind is a mistake. */
  readonly foreign: readonly string[];
  readonly owner: string;
};

export const KINDS: { readonly [kind in RecordKind]: KindOfRecord } = {
  user: {
    fields: Object.keys(userFields),
    custom: 'attributes',
    foreign: ['eventName', 'eventTime', 'eventData'],
    owner: 'a user',
  },
  event: {
    fields: Object.keys(eventFields),
    custom: 'eventData',
    foreign: ['attributes'],
    owner: 'an event',
  },
};

/** The type that WebEngage gives a field. */
export function typeOfField(field: string): ValueType {
  if (field === 'eventTime') return 'date';
  if (field === 'birthDate') return 'birthday';
  return field.endsWith('OptIn') ? 'boolean' : 'string';
}

/** The target in the words of `--map` and of the table: `email`, or `attributes.Plan`. */
export function targetName({ of, name }: Target, kind: RecordKind): string {
  return of === 'field' ? name : `${KINDS[kind].custom}.${name}`;
}

export type FoundTarget =
  | { readonly target: Target }
  /** Reads on from the name that was given. */
  | { readonly fault: string };

/** The target with this name, exactly as WebEngage writes it. */
export function targetOf(given: string, kind: RecordKind): FoundTarget {
  const { fields, custom, owner } = KINDS[kind];
  if (fields.includes(given)) return { target: { of: 'field', name: given } };
  if (given.startsWith(`${custom}.`)) return attribute(given.slice(custom.length + 1));
  return { fault: `is not a field of ${owner}: use ${custom}.<name>, or one of ${fields.join(', ')}` };
}

/** The target of a column that has no mapping. */
export function targetByName(column: string, kind: RecordKind): FoundTarget {
  const { fields, custom, foreign, owner } = KINDS[kind];
  const field = fields.find((name) => plain(name) === plain(column));
  if (field !== undefined) return { target: { of: 'field', name: field } };
  if (column.startsWith(`${custom}.`)) return attribute(column.slice(custom.length + 1));
  if (column === custom)
    return { fault: `holds custom attributes: give each a column, named ${custom}.<name>` };
  const other = foreign.find((name) => plain(name) === plain(column.split('.')[0] ?? ''));
  if (other !== undefined) return { fault: `is not a field of ${owner}: is --kind right?` };
  return attribute(column);
}

function attribute(name: string): FoundTarget {
  const rule = name === '__proto__' ? 'must not be __proto__' : nameRule(name);
  return rule === undefined
    ? { target: { of: 'attribute', name } }
    : { fault: `is an attribute whose name ${rule}` };
}

/** A name without case and punctuation: `E-mail` is `email`. */
const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
