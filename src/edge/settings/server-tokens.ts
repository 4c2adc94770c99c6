import { strongToken } from './strong-token.ts';

/** The token of one of your servers, and the server's name in totals and in the log. */
export type ServerToken = { readonly name: string; readonly token: string };

/** The name of the server that has the SERVER_TOKEN. */
export const UNNAMED_SERVER = 'server';

/** What names a server or another Worker. It is shown to operators as it is. */
export const SENDER_NAME = /^[\w.-]{1,40}$/;

/** The pairs of SERVER_TOKENS. Returns undefined if the list is empty or one of them is invalid. */
export function parseServerTokens(text: string): readonly ServerToken[] | undefined {
  const entries = entriesIn(text);
  const tokens = entries.flatMap((entry, index) => readPair(entry, entries.slice(0, index)) ?? []);
  return tokens.length > 0 && tokens.length === entries.length ? tokens : undefined;
}

/** The rule that a wrong SERVER_TOKENS breaks. It gives a wrong entry's position in the list, never its text. */
export function serverTokensRule(text: string): string {
  const entries = entriesIn(text);
  const wrong = 1 + entries.findIndex((entry, index) => !readPair(entry, entries.slice(0, index)));
  const at = wrong === 0 ? 'it has no pair' : `entry ${wrong} is not one`;
  return `must list name=token pairs, separated by commas or newlines, and ${at}: a name has 1 to 40 letters, digits, -, _ and ., a token 32 random characters or more, printable ASCII without spaces, and both occur once`;
}

function entriesIn(text: string): readonly string[] {
  return text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean);
}

/** A pair. Undefined if it is invalid, or repeats the name or the token of an earlier one. */
function readPair(entry: string, earlier: readonly string[]): ServerToken | undefined {
  const [name, token] = split(entry);
  const isRepeated = earlier.map(split).some(([other, its]) => other === name || its === token);
  return SENDER_NAME.test(name) && strongToken(token) !== undefined && !isRepeated
    ? { name, token }
    : undefined;
}

/** A pair's name and token. Base64 ends with `=`, so only the first one divides. */
function split(entry: string): readonly [name: string, token: string] {
  const at = entry.indexOf('=');
  return at < 0 ? ['', entry] : [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
}
