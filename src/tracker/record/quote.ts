import { stringify } from './built-ins.ts';
import { bare } from './own-fields.ts';

/** Text as JSON. Of objects `JSON.stringify` may be a page's own, and so it may be of empty values. */
export function quote(text: string): string {
  return stringify(text) ?? '""';
}

/** JSON of primitives, without braces. */
export function toFields(fields: {
  readonly [name: string]: string | number | boolean | null | undefined;
}): string {
  const own = bare(fields);
  let text = '';
  for (const name in own) {
    const value = own[name];
    // A page can have changed its clocks, too.
    if (value !== undefined && `${value}` !== 'NaN')
      text += `${text && ','}"${name}":${typeof value === 'string' ? quote(value) : value}`;
  }
  return text;
}
