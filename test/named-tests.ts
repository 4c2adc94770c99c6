import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A test that a document names: the file it links to, and the title it quotes. */
type NamedTest = { readonly file: string; readonly title: string };

/** The tests that a text of a document names, as `[spill](../test/tracker/unload/spill.test.ts) “title”, “another”`. */
export function testsNamedIn(document: string, text: string): readonly NamedTest[] {
  return [...text.matchAll(/\[[\w-]+\]\(([^)]+)\) (“[^”]+”(?:, “[^”]+”)*)/g)].flatMap(
    ([, path = '', titles = '']) =>
      [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({
        file: join(dirname(document), path),
        title,
      })),
  );
}

/** Whether the file is there, and has a test of that title. */
export function isThere({ file, title }: NamedTest): boolean {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return [`'${title}'`, `"${title}"`].some((written) => text.includes(written));
}
