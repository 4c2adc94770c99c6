// Control characters, direction marks, zero-width characters, line separators. JSON escapes only the first 32.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * JSON that is safe to show in a terminal, and that any reader splits into the same lines. Invisible characters
 * are escaped, such as a visitor's `\u009b`, which starts a terminal command. The value stays the same.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, (unseen) => unseen.split('').map(escaped).join(''));
}

const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
