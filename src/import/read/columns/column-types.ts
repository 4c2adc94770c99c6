import type { RecordKind } from '../../../contract/record.ts';
import type { AttributeType } from '../../../contract/rules/attributes.ts';
import type { Plan } from '../../../plan/plan.ts';
import { type ImportColumn, ImportError } from '../source.ts';
import type { ValueType } from '../values/convert.ts';
import type { DateFormat } from '../values/date-forms.ts';
import {
  fitsFormat,
  type InferredType,
  inferDateFormat,
  inferType,
  type Seen,
} from '../values/infer-type.ts';
import type { Column } from './map-columns.ts';
import { targetName, typeOfField } from './target.ts';

/** A column whose types are decided. */
export type TypedColumn = Column & {
  readonly valueType: ValueType;
  /** The types of the tracking plan for single events, by their names. */
  readonly ofEvents: ReadonlyMap<string, AttributeType>;
  /** Undefined if no value is a date. */
  readonly format: DateFormat | undefined;
  readonly decided: string;
};

export type TypeOptions = {
  readonly kind: RecordKind;
  readonly plan?: Plan | undefined;
  /** The format of all dates, if the user has said so. */
  readonly dateFormat?: DateFormat | undefined;
  readonly timeZone: string;
};

/** The types that a tracking plan has for an attribute: for all events that have it, or for all users. */
function plannedTypes(
  { target }: Column,
  { kind, plan }: TypeOptions,
): { readonly all?: AttributeType | undefined; readonly ofEvents: ReadonlyMap<string, AttributeType> } {
  if (plan === undefined || target?.of !== 'attribute') return { ofEvents: new Map() };
  if (kind === 'user') return { all: plan.user?.attributes.get(target.name)?.type, ofEvents: new Map() };
  const types = [...plan.events].flatMap(([event, { properties }]) => {
    const type = properties?.get(target.name)?.type;
    return type === undefined ? [] : [[event, type] as const];
  });
  const ofEvents = new Map(types);
  const distinct = new Set(ofEvents.values());
  return distinct.size === 1 ? { all: [...distinct][0], ofEvents: new Map() } : { ofEvents };
}

/** True if the column holds dates whatever its values are. */
export function isDateColumn(column: Column, options: TypeOptions): boolean {
  const { target, type } = column;
  if (target === undefined) return false;
  if (target.of === 'field') return ['date', 'birthday'].includes(typeOfField(target.name));
  if (type !== undefined) return type === 'date';
  const { all, ofEvents } = plannedTypes(column, options);
  return all === 'date' || [...ofEvents.values()].includes('date');
}

/** Decides the type of a column, and how its dates are read. Throws if dates can be read in two ways. */
export function typeColumn(column: Column, seen: Seen, options: TypeOptions): TypedColumn {
  const { valueType, ofEvents, because } = chooseType(column, seen, options);
  const types: readonly ValueType[] = [valueType, ...ofEvents.values()];
  const holdsDates = types.includes('date') || types.includes('birthday');
  const given = column.dateFormat ?? options.dateFormat;
  const format = holdsDates ? (given ?? formatOf(column, seen)) : undefined;
  const decided =
    format === undefined
      ? because
      : `${because}; ${inWords(format, seen)}, in ${options.timeZone} without a zone`;
  return { ...column, valueType, ofEvents, format, decided };
}

/** The format for the table. A column may also have epochs, whose size tells seconds from milliseconds. */
function inWords(format: DateFormat, { hasEpochs }: Seen): string {
  return hasEpochs && !format.startsWith('epoch') ? `${format} or epoch` : format;
}

type ChosenType = Pick<TypedColumn, 'valueType' | 'ofEvents'> & { readonly because: string };

function chooseType(column: Column, seen: Seen, options: TypeOptions): ChosenType {
  const { target, type, by, name } = column;
  const none: ReadonlyMap<string, AttributeType> = new Map();
  if (target?.of === 'field')
    return { valueType: typeOfField(target.name), ofEvents: none, because: 'WebEngage’s type' };
  if (type !== undefined) return { valueType: type, ofEvents: none, because: by };
  const { all, ofEvents } = plannedTypes(column, options);
  if (all !== undefined) return { valueType: all, ofEvents, because: 'tracking plan' };
  const inferred = inferFor(name, seen, options.dateFormat);
  const because =
    ofEvents.size === 0 ? inferred.because : `tracking plan, by event; else ${inferred.because}`;
  return { valueType: inferred.type, ofEvents, because };
}

/** Names of ids and of numbers that are never summed. Leading zeros matter in some of them. */
const ID = /(^|[^\p{L}])(id|ids|uuid|phone|mobile|msisdn|zip|postcode)$/iu;

function inferFor(
  name: string,
  seen: Seen,
  dateFormat: DateFormat | undefined,
): Pick<InferredType, 'type' | 'because'> {
  const inferred = inferType(seen);
  if (inferred.type === 'date' && dateFormat !== undefined && !fitsFormat(seen, dateFormat))
    return { type: 'string', because: `text, not ${dateFormat}` };
  // `customerId` and `Customer ID` alike.
  const words = name.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
  if (inferred.type === 'number' && inferred.fromText && ID.test(words))
    return { type: 'string', because: 'an id or phone number by its name' };
  return inferred;
}

function formatOf({ name }: Column, seen: Seen): DateFormat {
  const found = inferDateFormat(seen);
  if ('format' in found) return found.format;
  const column = `the dates of the column ${JSON.stringify(name)}`;
  const remedy = 'say which with --date-format, or with dateFormat in --map';
  if ('ambiguous' in found)
    throw new ImportError(
      `${column} may be dd/MM/yyyy or MM/dd/yyyy, as in row ${found.ambiguous}: ${remedy}`,
    );
  throw new ImportError(
    `${column} are dd/MM/yyyy in row ${found.dayFirst} and MM/dd/yyyy in row ${found.monthFirst}: ${remedy}`,
  );
}

/** The column in the table that the command shows. */
export function toImportColumn(column: TypedColumn, kind: RecordKind, seen: Seen): ImportColumn {
  const { name, target, by, decided, valueType } = column;
  if (target === undefined) return { name, field: undefined, type: undefined, decided: `left out by ${by}` };
  return {
    name,
    field: targetName(target, kind),
    type: seen.values === 0 ? undefined : valueType === 'birthday' ? 'date' : valueType,
    decided: `${by === 'its name' ? 'by its name' : by}; ${decided}`,
  };
}
