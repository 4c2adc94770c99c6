import type { BaseIssue } from 'valibot';

/** One broken rule of the contract: the field, and what the rule asks for. */
export type Issue = {
  /** The field, such as `eventName` or `eventData.Price`. Empty for the record as a whole. */
  readonly path: string;
  /** The rule. Path and message read as one sentence. Never contains the value. */
  readonly message: string;
};

/** Issues reported for one record. */
export const MAX_ISSUES = 10;

// Names come from the sender. Without a limit, an answer could be many times as long as its request.
const MAX_PATH_LENGTH = 100;

/** A path as text, starting with the outermost name. It is cut to the length that an answer has room for. */
export function toPath(names: readonly string[]): string {
  return names
    .map((name) => name.slice(0, MAX_PATH_LENGTH))
    .join('.')
    .slice(0, MAX_PATH_LENGTH);
}

/** Converts valibot's issues to ours. Keeps the first MAX_ISSUES of them. */
export function toIssues(found: readonly BaseIssue<unknown>[]): Issue[] {
  return found.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: toPath((path ?? []).map(({ key }) => String(key))),
    message,
  }));
}

/** The message for a field that its owner does not have. */
export function notAField(owner: string): string {
  return `is not a field of ${owner}`;
}

/** A strict object's message for a missing key, an unknown key, or a value that is not an object. */
export function fieldMessage(owner: string): (issue: { readonly expected: string | null }) => string {
  return ({ expected }) => {
    if (expected === 'never') return notAField(owner);
    return expected === 'Object' ? 'must be an object' : 'is required';
  };
}
