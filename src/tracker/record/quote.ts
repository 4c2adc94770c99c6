import { stringify } from './built-ins.ts';
import { bare } from './own-fields.ts';

/**
 * Text as JSON. A page's own `JSON.stringify` may be wrong about objects, so it gets only text. For empty
 * text it may return undefined.
 */
export function quote(text: string): string {
  return stringify(text) ?? '""';
}

/** Primitive fields as JSON, without braces. */
export function toFields(fields: {
  readonly [name: string]: string | number | boolean | null | undefined;
}): string {
  const own = bare(fields);
  let text = '';
  for (const name in own) {
    const value = own[name];
    // Not NaN: a page may have replaced its clocks, too.
    if (value !== undefined && `${value}` !== 'NaN')
      text += `${text && ','}"${name}":${typeof value === 'string' ? quote(value) : value}`;
  }
  return text;
}
