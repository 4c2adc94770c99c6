import type { Issue } from '../contract/issue.ts';

// Issues told of one request, before each record is told only its first: an answer is not to be many times as long as
// what it answers.
const MAX_ISSUES_IN_ALL = 250;

/** Cuts what is told of each record of a request to what the answer has room for. */
export function issueAllowance(): (issues: readonly Issue[]) => readonly Issue[] {
  let told = 0;
  return (issues) => {
    const cut = issues.slice(0, told < MAX_ISSUES_IN_ALL ? undefined : 1);
    told += cut.length;
    return cut;
  };
}
