import { custom, pipe, rawCheck } from 'valibot';
import {
  type Attributes,
  type AttributesField,
  type AttributeValue,
  attributeAllowance,
  attributeTextRule,
  DEPTH_RULE,
  MAX_DEPTH,
  nameRule,
  TYPE_RULE,
} from './attributes.ts';
import { MAX_ISSUES } from './issue.ts';

type Fault = { readonly path: readonly string[]; readonly message: string };

function* valueFaults(value: unknown, path: readonly string[]): Generator<Fault> {
  if (typeof value === 'string') {
    const message = attributeTextRule(value);
    if (message !== undefined) yield { path, message };
    return;
  }
  if (typeof value === 'boolean' || Number.isFinite(value)) return;
  if (typeof value !== 'object' || value === null) {
    yield { path, message: TYPE_RULE };
    return;
  }
  if (path.length >= MAX_DEPTH) {
    yield { path, message: DEPTH_RULE };
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    const message = attributeTextRule(name);
    if (message === undefined) yield* valueFaults(inner, [...path, name]);
    else yield { path, message: `has a name that ${message}` };
  }
}

function* attributeFaults(attributes: object, field: AttributesField): Generator<Fault> {
  const allowance = attributeAllowance(field);
  for (const [name, value] of Object.entries(attributes)) {
    const path = [name];
    const ofName = nameRule(name);
    if (ofName !== undefined) {
      yield { path, message: `has a name that ${ofName}` };
      continue;
    }
    let isGood = true;
    for (const fault of valueFaults(value, path)) {
      isGood = false;
      yield fault;
    }
    // Without a fault it is what an attribute may hold.
    const ofCount = isGood ? allowance(value as AttributeValue) : undefined;
    if (ofCount !== undefined) yield { path, message: ofCount };
  }
}

/** Custom attributes of a user or an event, as they may be sent to WebEngage. */
export function attributesSchema(field: AttributesField) {
  return pipe(
    custom<Attributes>(
      (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
      'must be an object',
    ),
    rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      let found = 0;
      for (const { path, message } of attributeFaults(dataset.value, field)) {
        const [first, ...rest] = path.map((key) => ({
          type: 'unknown' as const,
          origin: 'value' as const,
          input: undefined,
          key,
          value: undefined,
        }));
        addIssue(first === undefined ? { message } : { message, path: [first, ...rest] });
        // What is wrong everywhere is not worth looking through: whoever sent it may have meant it to be dear.
        found += 1;
        if (found === MAX_ISSUES) return;
      }
    }),
  );
}
