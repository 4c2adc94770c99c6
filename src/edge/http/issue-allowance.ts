import { MAX_ISSUES } from '../../contract/issue.ts';

// After this many issues or repairs in one answer, each further record reports only its first. Otherwise an
// answer could be many times as long as its request.
const MAX_REPORTED = 250;

/** Limits the issues or repairs reported for each record to the room in the answer. */
export function issueAllowance<Item>(): (found: readonly Item[]) => readonly Item[] {
  let reported = 0;
  return (found) => {
    const cut = found.slice(0, reported < MAX_REPORTED ? MAX_ISSUES : 1);
    reported += cut.length;
    return cut;
  };
}
