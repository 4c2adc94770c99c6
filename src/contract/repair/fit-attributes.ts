import {
  ATTRIBUTES_RULE,
  type Attributes,
  type AttributesField,
  type AttributeValue,
  attributeAllowance,
  attributeTextRule,
  DEPTH_RULE,
  isPlainObject,
  MAX_DEPTH,
  MAX_STRING_LENGTH,
  nameRule,
  TYPE_RULE,
} from '../rules/attributes.ts';
import { cutText } from '../rules/text.ts';
import { type Fitting, leftOut } from './repair.ts';

/** Turns a field's value into custom attributes that the contract takes. Undefined if the value can't hold any. */
export function* fitCustom(value: unknown, field: AttributesField): Fitting<Attributes | undefined> {
  if (value === undefined) return value;
  if (!isPlainObject(value)) {
    yield leftOut([field], ATTRIBUTES_RULE);
    return undefined;
  }
  return yield* within(field, fitAttributes(value, field));
}

/** Prefixes the paths of all misfits with a name. */
function* within<Value>(name: string, fitting: Fitting<Value>): Fitting<Value> {
  let step = fitting.next();
  while (!step.done) {
    yield { ...step.value, path: [name, ...step.value.path] };
    step = fitting.next();
  }
  return step.value;
}

const ofName = (rule: string) => `has a name that ${rule}`;

/**
 * Turns a JSON object into custom attributes that the contract takes. Long text is cut. Anything else that breaks a
 * rule is left out by itself. Paths start inside the object. A caller that only validates can stop at any misfit.
 */
export function* fitAttributes(given: object, field: AttributesField): Fitting<Attributes> {
  const allowance = attributeAllowance(field);
  const fitting: [string, AttributeValue][] = [];
  for (const [name, value] of Object.entries(given)) {
    const path = [name];
    const badName = nameRule(name);
    if (badName !== undefined) {
      yield leftOut(path, ofName(badName));
      continue;
    }
    const fitted = yield* fitValue(value, path);
    if (fitted === undefined) continue;
    const over = allowance(fitted);
    if (over === undefined) fitting.push([name, fitted]);
    else yield leftOut(path, over);
  }
  return Object.fromEntries(fitting);
}

function* fitValue(value: unknown, path: readonly string[]): Fitting<AttributeValue | undefined> {
  if (typeof value === 'string') {
    const rule = attributeTextRule(value);
    if (rule === undefined) return value;
    yield { path, rule, done: 'cut' };
    return cutText(value, MAX_STRING_LENGTH);
  }
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  if (typeof value !== 'object' || value === null) {
    yield leftOut(path, TYPE_RULE);
    return undefined;
  }
  if (path.length >= MAX_DEPTH) {
    yield leftOut(path, DEPTH_RULE);
    return undefined;
  }
  const entries = yield* fitEntries(value, path);
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

function* fitEntries(of: object, path: readonly string[]): Fitting<[string, AttributeValue][]> {
  const fitting: [string, AttributeValue][] = [];
  for (const [name, value] of Object.entries(of)) {
    const badName = attributeTextRule(name);
    if (badName !== undefined) {
      yield leftOut(path, ofName(badName));
      continue;
    }
    const fitted = yield* fitValue(value, [...path, name]);
    if (fitted !== undefined) fitting.push([name, fitted]);
  }
  return fitting;
}
