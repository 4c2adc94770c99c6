/**
 * How a command ends: 0 well, 1 not, 2 wrongly called, 3 with rows of an import refused, 130 at a question that was
 * interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 130;
