import { lengthRule } from './text.ts';

// https://docs.webengage.com/docs/rest-api-tracking-users
const MAX_ID_LENGTH = 100;

/** The rule of either id of a visitor. With both WebEngage ignores the anonymous one. */
export const idRule = lengthRule(1, MAX_ID_LENGTH);
