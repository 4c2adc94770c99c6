// What turns the direction of text, takes no room, or is an order to a terminal. JSON writes out none but the first 32.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The value as JSON that can be shown in a terminal, and cut into lines by any reader: what the eye would miss, a visitor's
 * `\u009b` say, which begins an order to the terminal, is written out. It means the same.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, (unseen) => unseen.split('').map(escaped).join(''));
}

const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
