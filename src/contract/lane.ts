/**
 * What a record comes from: a visitor's page, a backend or another Worker, or a file. Each lane has a part of the
 * allowance while it has records to send.
 */
export const LANES = ['live', 'server', 'import'] as const;
export type Lane = (typeof LANES)[number];
