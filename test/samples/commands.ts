/** One command of a script: its words as a shell hands them over, without what they are redirected to. */
export type ShownCommand = readonly string[];

/**
 * The commands of a script as documents have them: words, quotes, comments, `&&`, `|`, redirections, and lines that go on.
 * No more of a shell than that.
 */
export function commandsIn(script: string): readonly ShownCommand[] {
  const commands: string[][] = [[]];
  for (const [token] of script.matchAll(TOKEN)) {
    if (token.startsWith('#') || /^(\\\n|[ \t]+)$/.test(token)) continue;
    if (/^[\n|&;]/.test(token)) commands.push([]);
    else
      commands.at(-1)?.push(token.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
  }
  return commands.map(withoutRedirections).filter((words) => words.length > 0);
}

// A comment begins a word, or it is none.
const TOKEN = /\\\n|[ \t]+|(?<![^\s])#[^\n]*|\n|&&|\|\|?|;|(?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&])+/g;

function withoutRedirections(words: readonly string[]): ShownCommand {
  const at = words.findIndex((word) => word === '<' || word === '>');
  return at < 0 ? words : [...words.slice(0, at), ...withoutRedirections(words.slice(at + 2))];
}

// What `commands.test.ts` holds against the tool itself; `cd` goes where the command before it has made a folder.
const CHECKED = [
  /^npx webengage-relay(@[\d.]+)? /,
  /^npx wrangler /,
  /^npm (ci|i|install|run|test)\b/,
  /^cd /,
];

/** The commands of a script that can only be tried by running it. */
export function unchecked(script: string): readonly string[] {
  return commandsIn(script)
    .map((words) => words.join(' '))
    .filter((line) => !CHECKED.some((known) => known.test(line)));
}
