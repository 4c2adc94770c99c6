import { type Issue, MAX_ISSUES, toPath } from '../contract/issue.ts';
import type { TrackerRecord } from '../contract/record.ts';
import { type AttributeValue, typeOfAttribute } from '../contract/rules/attributes.ts';
import type { Plan, Property, Shape, Value } from './plan.ts';

/** How a record can be off the plan. */
export type Breach = 'unknown_event' | 'unknown_property' | 'missing' | 'type' | 'value';

/** Where a record is off the plan, and by what. The rule tells no value. */
export type OffPlan = Issue & { readonly breach: Breach };

/** One way of being off the plan. No value is in it; the names may be whatever somebody has sent. */
export type Violation = {
  /** The event, or `identify`. */
  readonly of: string;
  readonly path: string;
  readonly rule: string;
};

/** The violations of one request. */
export type Violations = {
  /** Each way once, with the ids of the records that were off the plan by it. */
  readonly kinds: readonly (Violation & { readonly ids: readonly string[] })[];
  /** Violations of other ways, which found no room: who sends what is wrong everywhere, in a thousand ways, is not counted by way. */
  readonly others: number;
};

// In place of an index: the same mistake in each element of a list is one mistake.
const ANY_ITEM = '*';

const UNKNOWN = 'is not in the tracking plan';

/** Holds a record that is on the contract against the plan; tells no more of it than an answer has room for. */
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

/** @param isWhole false: what is given is a part, in which nothing is missing */
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
      yield off('missing', [...path, name], 'is missing: the tracking plan asks for it');
}

const NONE: ReadonlyMap<string, Property> = new Map();

function* offValue(value: AttributeValue, planned: Value, path: Path): Generator<OffPlan> {
  const type = typeOfAttribute(value);
  if (type !== planned.type) {
    yield off('type', path, `must be of type ${planned.type} by the tracking plan, not ${type}`);
    return;
  }
  // From here on it is of the type that is planned, which the compiler can't follow.
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

/** What is off in the first element in which anything is: the others may well repeat it, and are not looked at. */
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
