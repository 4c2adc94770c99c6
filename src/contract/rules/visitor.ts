import { lengthRule } from './text.ts';

// https://docs.webengage.com/docs/rest-api-tracking-users
const MAX_ID_LENGTH = 100;

/** The rule for both ids of a visitor. If both are given, WebEngage ignores the anonymous one. */
export const idRule = lengthRule(1, MAX_ID_LENGTH);
