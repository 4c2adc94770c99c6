import { MAX_ISSUES } from '../../contract/issue.ts';

// After this many issues or repairs in one answer, each further record reports only its first. Otherwise an
// answer could be many times as long as its request.
const MAX_TOLD_IN_ALL = 250;

/** Limits the issues or repairs reported for each record to the room in the answer. */
export function issueAllowance<Told>(): (found: readonly Told[]) => readonly Told[] {
  let told = 0;
  return (found) => {
    const cut = found.slice(0, told < MAX_TOLD_IN_ALL ? MAX_ISSUES : 1);
    told += cut.length;
    return cut;
  };
}
