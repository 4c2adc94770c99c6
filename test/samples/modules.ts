import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { Answered } from '../journeys/site.ts';

const { name: ourselves, exports } = JSON.parse(readFileSync('package.json', 'utf8'));

const files: Readonly<Record<string, string>> = {
  'idb-keyval': 'node_modules/idb-keyval/dist/index.js',
  'vanilla-cookieconsent': 'node_modules/vanilla-cookieconsent/dist/cookieconsent.esm.js',
  ...Object.fromEntries(
    Object.entries<{ readonly default?: string }>(exports).flatMap(([path, { default: file }]) =>
      file === undefined ? [] : [[`${ourselves}${path.slice(1)}`, file.slice(2)]],
    ),
  ),
};

// As much of React as is shown: an effect runs, in the browser.
const REACT = 'export const useEffect = (effect) => effect();';

const AT = '/modules/';

/** What a bundler does for an app: where its imports are found. */
const IMPORT_MAP = `<script type="importmap">${JSON.stringify({
  imports: {
    ...Object.fromEntries(Object.entries(files).map(([name, file]) => [name, AT + file])),
    react: `data:text/javascript,${encodeURIComponent(REACT)}`,
  },
})}</script>`;

/** A module of the package, or of what it needs, for a site whose pages have the import map. */
export function moduleAt(path: string): Answered | undefined {
  const file = path.slice(AT.length);
  if (!path.startsWith(AT) || !Object.values(files).includes(file)) return undefined;
  return { type: 'text/javascript', body: readFileSync(file, 'utf8') };
}

/** A sample's TypeScript, as a browser runs it, leaving what it declares to the page. */
export function moduleTag(typescript: string): string {
  const code = stripTypeScriptTypes(typescript);
  const made = [...code.matchAll(/^(?:export )?(?:const|function) (\w+)/gm)].map(([, name]) => name);
  return `${IMPORT_MAP}<script type="module">${code}\nObject.assign(globalThis, { ${made.join()} });</script>`;
}
