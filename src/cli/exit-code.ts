/**
 * How a command ends: 0 success, 1 failure, 2 wrong usage, 3 an import is complete but some rows were refused, 130
 * interrupted.
 */
export type ExitCode = 0 | 1 | 2 | typeof ROWS_REFUSED | typeof INTERRUPTED;

export const ROWS_REFUSED = 3;
export const INTERRUPTED = 130;
