import { type Issue, MAX_ISSUES, toPath } from '../contract/issue.ts';
import type { TrackerRecord } from '../contract/record.ts';
import { type AttributeValue, typeOfAttribute } from '../contract/rules/attributes.ts';
import type { Plan, Property, Shape, Value } from './plan.ts';

/** The ways in which a record can violate the plan. */
export type Breach = 'unknown_event' | 'unknown_property' | 'missing' | 'type' | 'value';

/** A violation in a record: its field, its rule and its type. The rule never contains the value. */
export type OffPlan = Issue & { readonly breach: Breach };

/** One kind of violation. It contains no value. The names may be anything a sender made up. */
export type Violation = {
  /** The event's name, or `identify`. */
  readonly of: string;
  readonly path: string;
  readonly rule: string;
};

/** The violations in one request. */
export type Violations = {
  /** Each kind once, with the ids of the records that have it. */
  readonly kinds: readonly (Violation & { readonly ids: readonly string[] })[];
  /** Violations of kinds beyond the limit. A sender may violate the plan in thousands of ways. */
  readonly others: number;
};

// Replaces the index, so that the same mistake in each element of a list counts as one.
const ANY_ITEM = '*';

const UNKNOWN = 'is not in the tracking plan';

/** Checks a valid record against the plan. Reports at most MAX_ISSUES violations. */
export function offPlan(record: TrackerRecord, plan: Plan): readonly OffPlan[] {
  const found: OffPlan[] = [];
  for (const breach of breachesOf(record, plan)) if (found.push(breach) === MAX_ISSUES) break;
  return found;
}

type Path = readonly string[];
type Given = { readonly [name: string]: AttributeValue };

function* breachesOf(record: TrackerRecord, plan: Plan): Generator<OffPlan> {
  if (record.kind === 'user') {
    const { user } = plan;
    const { attributes = {} } = record;
    if (user) yield* offShape(attributes, { ...user, properties: user.attributes }, ['attributes'], false);
    return;
  }
  const { eventName, eventData = {} } = record;
  const event = plan.events.get(eventName);
  if (event) yield* offShape(eventData, event, ['eventData']);
  else if (!plan.additional) yield off('unknown_event', ['eventName'], UNKNOWN);
}

/** @param isWhole false for an update with only some of the properties, where none counts as missing */
function* offShape(
  given: Given,
  { properties = NONE, additional }: Shape,
  path: Path,
  isWhole = true,
): Generator<OffPlan> {
  for (const [name, value] of Object.entries(given)) {
    const property = properties.get(name);
    const there = [...path, name];
    if (property) yield* offValue(value, property, there);
    else if (!additional) yield off('unknown_property', there, UNKNOWN);
  }
  if (!isWhole) return;
  for (const [name, { optional }] of properties)
    if (!optional && !Object.hasOwn(given, name))
      yield off('missing', [...path, name], 'is required by the tracking plan');
}

const NONE: ReadonlyMap<string, Property> = new Map();

function* offValue(value: AttributeValue, planned: Value, path: Path): Generator<OffPlan> {
  const type = typeOfAttribute(value);
  if (type !== planned.type) {
    yield off('type', path, `must be of type ${planned.type} by the tracking plan, not ${type}`);
    return;
  }
  // From here on the value has the planned type, which the compiler can't infer.
  switch (planned.type) {
    case 'string':
    case 'number': {
      const values: ReadonlySet<AttributeValue> | undefined = planned.values;
      if (values?.has(value) === false) yield off('value', path, 'must be one of the tracking plan’s values');
      return;
    }
    case 'array':
      if (planned.items) yield* offItems(value as readonly AttributeValue[], planned.items, path);
      return;
    case 'object':
      if (planned.properties) yield* offShape(value as Given, planned, path);
  }
}

/** The violations in the first element that has any. Others would often repeat them, and are not checked. */
function* offItems(items: readonly AttributeValue[], planned: Value, path: Path): Generator<OffPlan> {
  for (const item of items) {
    let isOff = false;
    for (const breach of offValue(item, planned, [...path, ANY_ITEM])) {
      isOff = true;
      yield breach;
    }
    if (isOff) return;
  }
}

const off = (breach: Breach, path: Path, message: string): OffPlan => ({
  breach,
  path: toPath(path),
  message,
});
