import type { Plan, Property, Shape, Value } from './plan.ts';

/** The names of the generated types, and the file they come from. */
export type Names = {
  /** The name of the events' type, such as `ShopEvents`. */
  readonly events: string;
  /** The plan's file. */
  readonly source: string;
};

/** The name of the user's type, derived from that of the events: `ShopUser` from `ShopEvents`. */
export const userNameOf = (events: string): string => `${events.replace(/Events$/, '')}User`;

/**
 * Writes a plan as TypeScript, for `createTracker<ShopEvents, ShopUser>()`. The same plan always gives the same text.
 */
export function toTypeScript({ events, additional, user }: Plan, names: Names): string {
  const header = `// Made from ${names.source} by \`webengage-relay types\`: change it there.\n`;
  const members = [...events].map(([name, event]) => member(name, event, shapeOf(event, '  '), '  '));
  if (additional) members.push('  [eventName: string]: object | undefined;\n');
  const eventsType = `export type ${names.events} = ${block(members, '')};\n`;
  if (user === undefined) return `${header}\n${eventsType}`;

  const attributes = new Map(
    [...user.attributes].map(([name, value]) => [name, { ...value, optional: true }]),
  );
  const userType = shapeOf({ properties: attributes, additional: user.additional }, '') ?? NOTHING;
  return `${header}\n${eventsType}\nexport type ${userNameOf(names.events)} = ${userType};\n`;
}

const INDENT = '  ';

// `{}` would accept anything.
const NOTHING = 'Record<string, never>';

/** @param indent the indentation of the line where the shape begins */
function shapeOf({ properties = new Map(), additional }: Shape, indent: string): string | undefined {
  const inside = indent + INDENT;
  const members = [...properties].map(([name, property]: [string, Property]) =>
    member(name, property, typeOf(property, inside), inside),
  );
  if (additional) members.push(`${inside}[name: string]: unknown;\n`);
  return members.length === 0 ? undefined : block(members, indent);
}

const block = (members: readonly string[], indent: string): string =>
  members.length === 0 ? NOTHING : `{\n${members.join('')}${indent}}`;

type Described = { readonly description?: string | undefined; readonly optional?: boolean | undefined };

function member(
  name: string,
  { description, optional }: Described,
  type: string | undefined,
  indent: string,
): string {
  // The tracker treats undefined as absent, so callers can pass a value that may be undefined.
  const rest = optional ? `?: ${type} | undefined;` : `: ${type};`;
  return `${docComment(description, indent)}${indent}${keyOf(name)}${rest}\n`;
}

function typeOf(value: Value, indent: string): string {
  switch (value.type) {
    case 'string':
    case 'number':
      return value.values === undefined ? value.type : [...value.values].map(literalOf).join(' | ');
    case 'boolean':
      return value.type;
    case 'date':
      return 'Date | string';
    case 'array':
      return `readonly ${value.items === undefined ? 'unknown' : grouped(typeOf(value.items, indent))}[]`;
    case 'object':
      return value.properties === undefined ? 'object' : (shapeOf(value, indent) ?? NOTHING);
  }
}

/** The type as the element of an array. */
const grouped = (type: string): string => (/^(\w+$|\{)/.test(type) ? type : `(${type})`);

const keyOf = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : literalOf(name));

function literalOf(value: string | number): string {
  const json = JSON.stringify(value);
  const isPlain = typeof value === 'number' || value.includes("'");
  return isPlain ? json : `'${json.slice(1, -1).replaceAll('\\"', '"')}'`;
}

function docComment(description: string | undefined, indent: string): string {
  if (!description) return '';
  const lines = description.replaceAll('*/', '*\\/').split(/[\r\n\u2028\u2029]+/);
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}
