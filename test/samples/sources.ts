import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const lines = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => readFileSync(join('test', name), 'utf8').split('\n'))
  .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
  .join('\n');

/** What the tests ask for by this function, each written out as they call it: `sample('…')`. */
export function askedFor(by: 'sample' | 'samplesOf'): ReadonlySet<string> {
  // Not where a text speaks of it.
  const call = new RegExp(`(?<![\`"'\\w])${by}\\(\\s*'([^'$]+)'`, 'g');
  return new Set([...lines.matchAll(call)].map(([, name = '']) => name));
}
