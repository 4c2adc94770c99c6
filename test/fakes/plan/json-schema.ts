type Schema = { readonly [keyword: string]: unknown };

/** Whether a value fits a JSON Schema: by the keywords that ours has, and no others. It throws at one that it does not know. */
export function fits(value: unknown, schema: Schema, root: Schema = schema): boolean {
  return Object.entries(schema).every(([keyword, argument]) => keeps(value, keyword, argument, schema, root));
}

function keeps(value: unknown, keyword: string, argument: unknown, of: Schema, root: Schema): boolean {
  const inner = (each: unknown, schema: unknown) => fits(each, schema as Schema, root);
  const entries = isObject(value) ? Object.entries(value) : [];
  switch (keyword) {
    case '$schema':
    case 'title':
    case 'description':
    case 'definitions':
      return true;
    case '$ref':
      return inner(value, (root.definitions as Schema)[String(argument).replace('#/definitions/', '')]);
    case 'type':
      return argument === typeNameOf(value);
    case 'const':
      return value === argument;
    case 'enum':
      return (argument as readonly unknown[]).includes(value);
    case 'anyOf':
      return (argument as readonly unknown[]).some((schema) => inner(value, schema));
    case 'allOf':
      return (argument as readonly unknown[]).every((schema) => inner(value, schema));
    case 'required':
      return !isObject(value) || (argument as readonly string[]).every((name) => Object.hasOwn(value, name));
    case 'properties':
      return entries.every(
        ([name, each]) => !Object.hasOwn(argument as Schema, name) || inner(each, (argument as Schema)[name]),
      );
    case 'additionalProperties':
      return entries.every(([name, each]) => {
        if (Object.hasOwn((of.properties ?? {}) as Schema, name)) return true;
        return argument !== false && inner(each, argument);
      });
    case 'propertyNames':
      return entries.every(([name]) => inner(name, argument));
    case 'pattern':
      return typeof value !== 'string' || new RegExp(String(argument), 'u').test(value);
    // Characters are counted here, where the relay counts UTF-16 units.
    case 'minLength':
      return typeof value !== 'string' || [...value].length >= Number(argument);
    case 'maxLength':
      return typeof value !== 'string' || [...value].length <= Number(argument);
    case 'items':
      return !Array.isArray(value) || value.every((each) => inner(each, argument));
    case 'minItems':
      return !Array.isArray(value) || value.length >= Number(argument);
    case 'uniqueItems':
      return !Array.isArray(value) || new Set(value).size === value.length;
    default:
      throw new Error(`${keyword} is no keyword of ours`);
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typeNameOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
