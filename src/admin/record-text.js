// What turns the direction of text, takes no room, or is a sign to a machine: in a record, a way to show something else
// than is there. Controls, formats and separators by Unicode's names for them, and letters that are blank.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]/gu;

/**
 * A record as JSON to read, with what the eye would miss written out.
 *
 * @param {unknown} record
 */
export const recordText = (record) => JSON.stringify(record, null, 2).split('\n').map(plainText).join('\n');

/** @param {string} text */
export const plainText = (text) => text.replace(UNSEEN, (unseen) => unseen.split('').map(escaped).join(''));

/** @param {string} unit */
const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
