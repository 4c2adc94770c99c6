import { custom, pipe, rawCheck } from 'valibot';
import {
  type AttributeOwner,
  type Attributes,
  attributeAllowance,
  MAX_DEPTH,
  MAX_STRING_LENGTH,
  nameFault,
  typeOfAttribute,
} from './attributes.ts';
import { MAX_ISSUES } from './issue.ts';
import { textFault } from './text.ts';

type Fault = { readonly path: readonly string[]; readonly message: string };

function* valueFaults(value: unknown, path: readonly string[]): Generator<Fault> {
  if (typeof value === 'string') {
    const message = textFault(value, MAX_STRING_LENGTH);
    if (message !== undefined) yield { path, message };
    return;
  }
  if (typeOfAttribute(value) === undefined)
    yield { path, message: 'must be a string, number, boolean, array or object' };
  if (typeof value !== 'object' || value === null) return;
  if (path.length >= MAX_DEPTH) {
    yield { path, message: `must not nest deeper than ${MAX_DEPTH} levels` };
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    const message = textFault(name, MAX_STRING_LENGTH);
    if (message === undefined) yield* valueFaults(inner, [...path, name]);
    else yield { path, message: `has a name that ${message}` };
  }
}

function* attributeFaults(attributes: object, owner: AttributeOwner): Generator<Fault> {
  const allowance = attributeAllowance(owner);
  for (const [name, value] of Object.entries(attributes)) {
    const path = [name];
    const ofName = nameFault(name);
    if (ofName !== undefined) {
      yield { path, message: `has a name that ${ofName}` };
      continue;
    }
    let isGood = true;
    for (const fault of valueFaults(value, path)) {
      isGood = false;
      yield fault;
    }
    const type = typeOfAttribute(value);
    const ofCount = isGood && type !== undefined ? allowance(type, value) : undefined;
    if (ofCount !== undefined) yield { path, message: ofCount };
  }
}

/** Custom attributes of a user or an event, as they may be sent to WebEngage. */
export function attributesSchema(owner: AttributeOwner) {
  return pipe(
    custom<Attributes>((input) => typeOfAttribute(input) === 'Object', 'must be an object'),
    rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      let found = 0;
      for (const { path, message } of attributeFaults(dataset.value, owner)) {
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
