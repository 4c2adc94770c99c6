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
import { textFault } from './text.ts';

type Fault = { readonly path: readonly string[]; readonly message: string };

function valueFaults(value: unknown, path: readonly string[]): Fault[] {
  const type = typeOfAttribute(value);
  if (type === undefined) return [{ path, message: 'must be a string, number, boolean, array or object' }];
  if (typeof value === 'string') {
    const message = textFault(value, MAX_STRING_LENGTH);
    return message === undefined ? [] : [{ path, message }];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (path.length >= MAX_DEPTH) return [{ path, message: `must not nest deeper than ${MAX_DEPTH} levels` }];
  return Object.entries(value).flatMap(([name, inner]) => valueFaults(inner, [...path, name]));
}

function attributeFaults(attributes: object, owner: AttributeOwner): Fault[] {
  const allowance = attributeAllowance(owner);
  return Object.entries(attributes).flatMap(([name, value]) => {
    const ofName = nameFault(name);
    if (ofName !== undefined) return [{ path: [name], message: `has a name that ${ofName}` }];
    const ofValue = valueFaults(value, [name]);
    const type = typeOfAttribute(value);
    if (ofValue.length > 0 || type === undefined) return ofValue;
    const ofCount = allowance(type, value);
    return ofCount === undefined ? [] : [{ path: [name], message: ofCount }];
  });
}

/** Custom attributes of a user or an event, as they may be sent to WebEngage. */
export function attributesSchema(owner: AttributeOwner) {
  return pipe(
    custom<Attributes>((input) => typeOfAttribute(input) === 'Object', 'must be an object'),
    rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const { path, message } of attributeFaults(dataset.value, owner)) {
        const [first, ...rest] = path.map((key) => ({
          type: 'unknown' as const,
          origin: 'value' as const,
          input: undefined,
          key,
          value: undefined,
        }));
        addIssue(first === undefined ? { message } : { message, path: [first, ...rest] });
      }
    }),
  );
}
