/** Rounds a figure for a table. */
export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));
