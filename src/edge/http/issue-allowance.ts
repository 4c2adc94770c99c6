import { MAX_ISSUES } from '../../contract/issue.ts';

// Issues, or repairs, told of one request, before each record is told only its first: an answer is not to be many times as
// long as what it answers.
const MAX_TOLD_IN_ALL = 250;

/** Cuts what is told of each record of a request, issues or repairs, to what the answer has room for. */
export function issueAllowance<Told>(): (found: readonly Told[]) => readonly Told[] {
  let told = 0;
  return (found) => {
    const cut = found.slice(0, told < MAX_TOLD_IN_ALL ? MAX_ISSUES : 1);
    told += cut.length;
    return cut;
  };
}
