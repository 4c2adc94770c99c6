import { RECORD_ID, type RecordKind, type TrackerRecord } from './record.ts';
import { isRecord, RULES } from './repair/fit-record.ts';
import {
  type AttributesField,
  type AttributeValue,
  attributeAllowance,
  attributeTextRule,
  isPlainObject,
  MAX_DEPTH,
  nameRule,
} from './rules/attributes.ts';

type Check = (value: unknown) => boolean;

const CHECKS: Readonly<Record<RecordKind, ReadonlyMap<string, Check>>> = {
  user: checksOf('user', 'attributes'),
  event: checksOf('event', 'eventData'),
};

function checksOf(kind: RecordKind, field: AttributesField): ReadonlyMap<string, Check> {
  const rules = Object.entries(RULES[kind]).map(([name, rule]): [string, Check] => [
    name,
    (value) => rule(value) === undefined,
  ]);
  return new Map<string, Check>([
    ['kind', () => true],
    ['id', (value) => typeof value === 'string' && RECORD_ID.test(value)],
    ...rules,
    [field, (value) => arePlainAttributes(value, field)],
  ]);
}

/**
 * True for a record that `checkRecord` accepts and that has no unknown field. It says so in a seventh of the time,
 * because it makes no objects on the way. A false one goes to `checkRecord`, which names the issues.
 */
export function isPlainRecord(input: unknown): input is TrackerRecord {
  if (!isRecord(input)) return false;
  if (input.id === undefined || (input.userId === undefined && input.anonymousId === undefined)) return false;
  if (input.kind === 'event' && input.eventName === undefined) return false;
  const checks = CHECKS[input.kind];
  for (const name of Object.keys(input)) {
    if (!checks.get(name)?.(input[name])) return false;
  }
  return true;
}

function arePlainAttributes(value: unknown, field: AttributesField): boolean {
  if (!isPlainObject(value)) return false;
  const breaks = attributeAllowance(field);
  for (const name of Object.keys(value)) {
    const given = value[name];
    if (nameRule(name) !== undefined || !isPlainValue(given, 1) || breaks(given) !== undefined) return false;
  }
  return true;
}

function isPlainValue(value: unknown, depth: number): value is AttributeValue {
  switch (typeof value) {
    case 'string':
      return attributeTextRule(value) === undefined;
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return true;
    default:
      return (
        typeof value === 'object' && value !== null && depth < MAX_DEPTH && areAllPlain(value, depth + 1)
      );
  }
}

function areAllPlain(values: object, depth: number): boolean {
  return Object.entries(values).every(
    ([name, value]) => attributeTextRule(name) === undefined && isPlainValue(value, depth),
  );
}
