// What turns the direction of text, or takes no room: in a record, a way to show something else than is there.
const UNSEEN = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/**
 * A record as JSON to read, with what the eye would miss written out.
 *
 * @param {unknown} record
 */
export const recordText = (record) => plainText(JSON.stringify(record, null, 2));

/** @param {string} text */
export const plainText = (text) =>
  text.replace(UNSEEN, (unseen) => `\\u${unseen.charCodeAt(0).toString(16).padStart(4, '0')}`);
