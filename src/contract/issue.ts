import type { BaseIssue } from 'valibot';

/** One rule of the contract that a record breaks: where, and what the rule asks. */
export type Issue = {
  /** The field, as `eventName` or `eventData.Price`. Empty: the record as a whole. */
  readonly path: string;
  /** The rule, so that path and message read as one sentence. Never holds the value itself. */
  readonly message: string;
};

/** Issues told of one record. */
export const MAX_ISSUES = 10;

// Names come from whoever sends; an answer is not to be many times as long as what it answers.
const MAX_PATH_LENGTH = 100;

/** A path in words, from the outermost name: no longer than an answer has room for. */
export function toPath(names: readonly string[]): string {
  return names
    .map((name) => name.slice(0, MAX_PATH_LENGTH))
    .join('.')
    .slice(0, MAX_PATH_LENGTH);
}

/** What valibot found, in our form: the first of it. */
export function toIssues(found: readonly BaseIssue<unknown>[]): Issue[] {
  return found.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: toPath((path ?? []).map(({ key }) => String(key))),
    message,
  }));
}

/** What is said of a field that its owner does not have. */
export function notAField(owner: string): string {
  return `is not a field of ${owner}`;
}

/** What a strict object says of a key it misses, of one it does not know, and of what is no object. */
export function fieldMessage(owner: string): (issue: { readonly expected: string | null }) => string {
  return ({ expected }) => {
    if (expected === 'never') return notAField(owner);
    return expected === 'Object' ? 'must be an object' : 'must be given';
  };
}
