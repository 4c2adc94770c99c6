import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a module exports under one name: its doc comment as text, and its code. */
type Declared = { readonly doc: string; readonly code: string };

const COMMENT = /^\/\*\*[\s\S]*?\*\/\n/;

/** The statements of a declaration file as the compiler writes it, each with the comment above it. */
function statementsOf(text: string): readonly string[] {
  const statements: string[] = [];
  let statement = '';
  let depth = 0;
  for (const line of text.split('\n')) {
    statement += `${line}\n`;
    if (/^\s*(\/\*\*|\*)/.test(line)) continue;
    depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length;
    // Of all statements only a class has no semicolon, and what is said of names that are everywhere.
    const isWhole =
      line.endsWith(';') || (line === '}' && /^(export )?declare (class|global)/m.test(statement));
    if (depth > 0 || !isWhole) continue;
    statements.push(statement.trim());
    statement = '';
  }
  return statements;
}

function declared(statement: string): Declared {
  const [comment = ''] = COMMENT.exec(statement) ?? [];
  const doc = comment.replace(/^\/\*\*\s?|\s*\*\/\n$/g, '').replace(/^ \* ?/gm, '');
  const code = statement
    .slice(comment.length)
    .replace(/^(export )?(declare )?/, '')
    .replace(/^( {4})+/gm, (indent) => ' '.repeat(indent.length / 2))
    .replace(/ +$/gm, '')
    // Its methods are for the relay itself.
    .replace(/^(class \w+ extends DurableObject)[\s\S]*$/, '$1 { /* bound, and called by nobody else */ }');
  return { doc: doc.trim(), code };
}

const namesIn = (list: string) => list.split(',').map((name) => name.replace(/\btype\b/, '').trim());

/** All that a module exports, by name, followed to where it is declared. Throws where it does not find one. */
function exportsOf(file: string): ReadonlyMap<string, Declared> {
  const exported = new Map<string, Declared>();
  const own = new Map<string, Declared>();
  const importedFrom = new Map<string, string>();

  const found = (name: string, from = importedFrom.get(name)): Declared => {
    const there = from && exportsOf(join(dirname(file), from.replace(/\.ts$/, '.d.ts')));
    const it = there ? there.get(name) : own.get(name);
    if (it === undefined) throw new Error(`${file} exports ${name}, which is declared nowhere`);
    return it;
  };

  for (const statement of statementsOf(readFileSync(file, 'utf8'))) {
    const code = statement.replace(COMMENT, '');
    const [, keyword, list, from] =
      /^(import|export) (?:type )?\{([^}]*)\}(?: from '(.*)')?;$/.exec(code) ?? [];
    const [, byDefault] = /^export default (\w+);$/.exec(code) ?? [];
    const [, isExported, name] =
      /^(export )?(?:declare )?(?:type|function|class|const) (\w+)/.exec(code) ?? [];

    if (keyword === 'import' && list && from) for (const each of namesIn(list)) importedFrom.set(each, from);
    else if (list !== undefined)
      for (const each of namesIn(list)) each && exported.set(each, found(each, from));
    else if (byDefault !== undefined) exported.set('default', found(byDefault));
    else if (name !== undefined) (isExported ? exported : own).set(name, declared(statement));
    else if (code.startsWith('export')) throw new Error(`${file} exports in a way not known here: ${code}`);
  }
  return exported;
}

function section([name, { doc, code }]: readonly [string, Declared]): string {
  const text = doc === '' ? '' : `${doc}\n\n`;
  return `### ${name}\n\n${text}\`\`\`ts\n${code.replace(' _default:', ' worker:')}\n\`\`\`\n`;
}

const INTRODUCTION = `# API

Every export of the package, as it is declared. [Tracking from your page](../guides/tracking.md) shows how to use them.

This page is generated from the declarations, and a test compares the two.
\`npm run build && npx vitest run --project pure test/api.test.ts --update\` writes it again.
`;

/** What docs/reference/api.md has to say: every entry of the package, and all it exports; a type of several entries once. */
export function apiReference(): string {
  const { name: packageName, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const listed = new Set<string>();
  const parts = [INTRODUCTION];
  for (const [path, target] of Object.entries<string | { readonly types: string }>(exports)) {
    if (typeof target === 'string') continue;
    const all = [...exportsOf(target.types)];
    const isType = ([, { code }]: readonly [string, Declared]) => code.startsWith('type');
    const anew = all.filter(([name]) => !listed.has(name));
    const again = all.filter(([name]) => listed.has(name)).map(([name]) => `\`${name}\``);

    parts.push(`## ${packageName}${path.slice(1)}\n`);
    parts.push(...anew.filter((each) => !isType(each)).map(section), ...anew.filter(isType).map(section));
    if (again.length > 0) parts.push(`And, as above: ${again.join(', ')}.\n`);
    for (const [name] of anew) listed.add(name);
  }
  return parts.join('\n');
}
