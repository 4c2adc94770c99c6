// What turns the direction of text, takes no room, or commands a machine: in a record, a way to show something other than
// what it holds. Controls, formats and separators by Unicode's names for them, and letters that are blank.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]/gu;

/** A text with its unseen characters written as escapes. */
export function plainText(text: string): string {
  return text.replace(UNSEEN, (unseen) => unseen.split('').map(escaped).join(''));
}

/** A record as JSON to read, with what the eye would miss written out. */
export function recordText(record: unknown): string {
  return JSON.stringify(record, null, 2).split('\n').map(plainText).join('\n');
}

function escaped(codeUnit: string): string {
  return `\\u${codeUnit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
