/** How a command ends: 0 well, 1 not, 2 wrongly called. */
export type ExitCode = 0 | 1 | 2;
