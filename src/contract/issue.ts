import type { BaseIssue } from 'valibot';

/** One rule of the contract that a record breaks: where, and what the rule asks. */
export type Issue = {
  /** The field, as `eventName` or `eventData.Price`. Empty: the record as a whole. */
  readonly path: string;
  /** The rule, so that path and message read as one sentence. Never holds the value itself. */
  readonly message: string;
};

/** What valibot found, in our form. */
export function toIssues(found: readonly BaseIssue<unknown>[]): Issue[] {
  return found.map(({ path, message }) => ({
    path: (path ?? []).map((item) => String(item.key)).join('.'),
    message,
  }));
}

/** What a strict object says of a key it misses, and of one it does not know. */
export function fieldMessage(owner: string): (issue: { readonly expected: string | null }) => string {
  return ({ expected }) => (expected === 'never' ? `is not a field of ${owner}` : 'must be given');
}
