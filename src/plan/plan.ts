import {
  array,
  boolean,
  check,
  custom,
  finite,
  type GenericSchema,
  lazy,
  literal,
  map,
  minLength,
  number,
  type ObjectEntries,
  optional,
  pipe,
  rawCheck,
  safeParse,
  strictObject,
  string,
  transform,
  unknown,
  variant,
} from 'valibot';
import { eventNameRule } from '../contract/event.ts';
import { fieldMessage, type Issue, toIssues } from '../contract/issue.ts';
import {
  type AttributeType,
  attributeTextRule,
  MAX_PER_TYPE,
  nameRule,
} from '../contract/rules/attributes.ts';
import { isDate } from '../contract/rules/date.ts';
import type { Rule } from '../contract/rules/rule.ts';
import { ruleSchema } from '../contract/rules/rule-schema.ts';

/** The allowed values of a property, in one of WebEngage's types. */
export type Value = { readonly description?: string | undefined } & (
  | { readonly type: 'string'; readonly values?: ReadonlySet<string> | undefined }
  | { readonly type: 'number'; readonly values?: ReadonlySet<number> | undefined }
  | { readonly type: 'boolean' | 'date' }
  /** Without `items`, elements may be anything. */
  | { readonly type: 'array'; readonly items?: Value | undefined }
  /** Without `properties`, it may hold anything. */
  | ({ readonly type: 'object' } & Shape)
);

export type Property = Value & { readonly optional?: boolean | undefined };

/** The properties that an event or object may have. `additional` also allows names that are not listed. */
export type Shape = {
  readonly properties?: ReadonlyMap<string, Property> | undefined;
  readonly additional?: boolean | undefined;
};

/** What a site tracks: its events by name, and the attributes of its users. */
export type Plan = {
  readonly events: ReadonlyMap<string, Shape & { readonly description?: string | undefined }>;
  /** Allows events that are not in the plan. */
  readonly additional?: boolean | undefined;
  /** Without it, users are not checked. All attributes are optional: `identify` sends what is known so far. */
  readonly user?:
    | {
        readonly attributes: ReadonlyMap<string, Property>;
        readonly additional?: boolean | undefined;
      }
    | undefined;
};

/** WebEngage's types. */
export const TYPES = [
  'string',
  'number',
  'boolean',
  'date',
  'array',
  'object',
] as const satisfies AttributeType[];

const FLAG = 'must be true or false';
const VALUES = 'must hold at least one value, without duplicates';

const descriptionSchema = optional(string('must be text'));
const flagSchema = optional(boolean(FLAG));

/** The relay rejects a record with this name in it. */
const noProtoRule: Rule<string> = (name) => (name === '__proto__' ? 'must not be __proto__' : undefined);

/** Valibot accepts an array as an object without required fields. */
const objectSchema = custom<object>(
  (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
  'must be an object',
);

/** An object as a map. A plain object would inherit names such as `constructor`. */
function byName<Output>(rule: Rule<string>, schema: GenericSchema<unknown, Output>) {
  const named: Rule<string> = (name) => {
    const message = noProtoRule(name) ?? rule(name);
    return message && `has a name that ${message}`;
  };
  return pipe(
    objectSchema,
    transform((input) => new Map<unknown, unknown>(Object.entries(input))),
    map(ruleSchema(named), schema),
  );
}

function valuesSchema<Fitting>(value: GenericSchema<unknown, Fitting>) {
  return optional(
    pipe(
      array(value, VALUES),
      minLength(1, VALUES),
      check((values) => new Set(values).size === values.length, VALUES),
      transform((values): ReadonlySet<Fitting> => new Set(values)),
    ),
  );
}

const textSchema = pipe(
  ruleSchema(attributeTextRule),
  // Dates are a type of their own in WebEngage.
  check((text) => !isDate(text), 'must not be a date: WebEngage has its own type for dates'),
);
const numberSchema = pipe(number('must be a number'), finite('must be a number'));

/** @param more additional fields allowed here */
function valueSchema<More extends ObjectEntries>(more: More) {
  const of = <Type extends AttributeType, Own extends ObjectEntries>(type: Type, own: Own) =>
    strictObject(
      { type: literal(type), description: descriptionSchema, ...own, ...more },
      fieldMessage(`a property of type ${type}`),
    );
  return pipe(
    unknown(),
    // The short form is the type's name alone.
    transform((input) => (TYPES.some((type) => type === input) ? { type: input } : input)),
    variant(
      'type',
      [
        of('string', { values: valuesSchema(textSchema) }),
        of('number', { values: valuesSchema(numberSchema) }),
        of('boolean', {}),
        of('date', {}),
        of('array', { items: optional(lazy(() => itemSchema)) }),
        of('object', {
          properties: optional(lazy(() => innerSchema)),
          additional: flagSchema,
        }),
      ],
      `must be ${TYPES.slice(0, -1).join(', ')} or ${TYPES.at(-1)}, or have one of these as its type`,
    ),
  );
}

const itemSchema: GenericSchema<unknown, Value> = valueSchema({});
const propertySchema: GenericSchema<unknown, Property> = valueSchema({ optional: flagSchema });
const innerSchema: GenericSchema<unknown, ReadonlyMap<string, Property>> = byName(
  attributeTextRule,
  propertySchema,
);

/** Attributes of a user or an event. The plan allows no more of one type than WebEngage takes on a record. */
function attributesSchema(schema: GenericSchema<unknown, Property>) {
  return pipe(
    byName(nameRule, schema),
    rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const counts: Partial<Record<AttributeType, number>> = {};
      for (const [key, value] of dataset.value) {
        const count = (counts[value.type] ?? 0) + 1;
        counts[value.type] = count;
        if (count > MAX_PER_TYPE)
          addIssue({
            message: `must be one of at most ${MAX_PER_TYPE} of type ${value.type}`,
            path: [{ type: 'map', origin: 'value', input: dataset.value, key, value }],
          });
      }
    }),
  );
}

const planSchema = strictObject(
  {
    $schema: optional(string('must be text')),
    additional: flagSchema,
    events: byName(
      eventNameRule,
      pipe(
        objectSchema,
        strictObject(
          {
            description: descriptionSchema,
            properties: optional(attributesSchema(propertySchema)),
            additional: flagSchema,
          },
          fieldMessage('an event'),
        ),
      ),
    ),
    user: optional(
      strictObject(
        { attributes: attributesSchema(itemSchema), additional: flagSchema },
        fieldMessage('the user'),
      ),
    ),
  },
  fieldMessage('a tracking plan'),
);

export type ParsedPlan =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Parses a tracking plan from the JSON of its file. Anything that WebEngage would refuse or drop makes it invalid.
 */
export function parsePlan(input: unknown): ParsedPlan {
  const { success, output, issues } = safeParse(planSchema, input);
  return success ? { ok: true, plan: output } : { ok: false, issues: toIssues(issues) };
}

/** The faults of a plan, one line each. */
export function planFaults(issues: readonly Issue[]): string[] {
  return issues.map(({ path, message }) => `${path || 'a tracking plan'} ${message}`);
}
