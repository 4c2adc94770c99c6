import { NO_SYSTEM_EVENT } from '../contract/event.ts';
import { type AttributeType, MAX_NAME_LENGTH, MAX_STRING_LENGTH } from '../contract/rules/attributes.ts';
import { TYPES } from './plan.ts';

type Schema = { readonly [keyword: string]: unknown };

/**
 * The plan's format for editors, as JSON Schema. Anything it refuses is not a valid plan. It can't express
 * every rule, such as the number of properties of one type.
 * Draft 7, which most editors support. https://json-schema.org/draft-07
 */
export function planJsonSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tracking plan',
    ...record(
      {
        $schema: { type: 'string' },
        events: byName(
          { ...name, allOf: [NOT_RESERVED, { pattern: NO_SYSTEM_EVENT.source }] },
          record({ description, properties: byName(attributeName, ref('property')), additional }),
          'The events, by name.',
        ),
        additional: { ...additional, description: 'Events that are not in the plan may be sent too.' },
        user: record(
          {
            attributes: byName(
              attributeName,
              ref('value'),
              'Custom attributes. A call may leave out any of them.',
            ),
            additional,
          },
          ['attributes'],
        ),
      },
      ['events'],
    ),
    definitions: {
      value: valueSchema({}),
      property: valueSchema({
        optional: { type: 'boolean', description: 'Whether a call may leave it out. Default: false.' },
      }),
    },
  };
}

const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` });

/** A schema for an object with these fields and no others. */
function record(properties: Schema, required: readonly string[] = []): Schema {
  return { type: 'object', properties, additionalProperties: false, required };
}

function byName(propertyNames: Schema, additionalProperties: Schema, description?: string): Schema {
  return { type: 'object', propertyNames, additionalProperties, ...(description ? { description } : {}) };
}

const NOT_RESERVED: Schema = { pattern: '^(?!we_|__proto__$)' };
const name: Schema = { minLength: 1, maxLength: MAX_NAME_LENGTH };
const attributeName: Schema = { ...name, ...NOT_RESERVED };
const description: Schema = { type: 'string', description: 'A description for people.' };
const additional: Schema = {
  type: 'boolean',
  description: 'Properties that are not in the plan may be sent too. Default: false.',
};

/** @param more additional fields allowed here */
function valueSchema(more: Schema): Schema {
  const values = (items: Schema): Schema => ({
    type: 'array',
    items,
    minItems: 1,
    uniqueItems: true,
    description: 'The allowed values.',
  });
  const own: Readonly<Record<AttributeType, Schema>> = {
    string: { values: values({ type: 'string', maxLength: MAX_STRING_LENGTH }) },
    number: { values: values({ type: 'number' }) },
    boolean: {},
    date: {},
    array: { items: ref('value') },
    object: {
      properties: byName(
        { maxLength: MAX_STRING_LENGTH, pattern: '^(?!__proto__$)' },
        ref('property'),
        'The allowed values inside. Default: any.',
      ),
      additional,
    },
  };
  return {
    anyOf: [
      { enum: TYPES },
      ...TYPES.map((type) => record({ type: { const: type }, description, ...own[type], ...more }, ['type'])),
    ],
  };
}
