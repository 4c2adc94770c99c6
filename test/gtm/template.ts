import { readFileSync } from 'node:fs';

/** A field of the tag's form. A group or a table has further ones. */
export type Parameter = {
  readonly type: string;
  readonly name: string;
  readonly defaultValue?: unknown;
  readonly selectItems?: readonly { readonly value: string }[];
  readonly subParams?: readonly Parameter[];
  readonly simpleTableColumns?: readonly Parameter[];
  readonly enablingConditions?: readonly { readonly paramName: string; readonly paramValue: unknown }[];
};

/** A value as ___WEB_PERMISSIONS___ has them: 1 is text, 2 a list, 3 a map, 8 a boolean. */
export type Wrapped =
  | { readonly type: 1; readonly string: string }
  | { readonly type: 2; readonly listItem: readonly Wrapped[] }
  | { readonly type: 3; readonly mapKey: readonly Wrapped[]; readonly mapValue: readonly Wrapped[] }
  | { readonly type: 8; readonly boolean: boolean };

export type Permission = {
  readonly instance: {
    readonly key: { readonly publicId: string; readonly versionId: string };
    readonly param: readonly { readonly key: string; readonly value: Wrapped }[];
  };
};

/** In the order in which Google's own export writes them. */
export const SECTIONS = [
  'TERMS_OF_SERVICE',
  'INFO',
  'TEMPLATE_PARAMETERS',
  'SANDBOXED_JS_FOR_WEB_TEMPLATE',
  'WEB_PERMISSIONS',
  'TESTS',
  'NOTES',
] as const;

const source = readFileSync('gtm/template.tpl', 'utf8');

/** The names of the sections, in their order. */
export const sectionNames: readonly string[] = [...source.matchAll(/^___(\w+)___$/gm)].map(
  ([, name = '']) => name,
);

/** The text of a section. */
export function section(name: (typeof SECTIONS)[number]): string {
  const [, after] = source.split(`___${name}___\n`);
  if (after === undefined) throw new Error(`the template has no ___${name}___`);
  return after.split(/^___\w+___$/m)[0]?.trim() ?? '';
}

export const SCRIPT: string = section('SANDBOXED_JS_FOR_WEB_TEMPLATE');

export const PARAMETERS: readonly Parameter[] = JSON.parse(section('TEMPLATE_PARAMETERS'));

export const PERMISSIONS: readonly Permission[] = JSON.parse(section('WEB_PERMISSIONS'));

/** The parameters of the form, with those within others. The columns of tables are not among them. */
export function allParameters(parameters: readonly Parameter[] = PARAMETERS): readonly Parameter[] {
  return parameters.flatMap((each) => [each, ...allParameters(each.subParams ?? [])]);
}
