import { plain } from '../plain-text.ts';
import type { Check } from './check.ts';

// Select Graphic Rendition, ECMA-48: green, red, yellow.
const MARKS = {
  good: { sign: '✓', color: 32 },
  bad: { sign: '✗', color: 31 },
  unsure: { sign: '!', color: 33 },
} as const;

/** A check in one line: its mark, what it says, and what to do. */
export function lineOf({ verdict, says, todo }: Check, colored: boolean): string {
  const { sign, color } = MARKS[verdict];
  const mark = colored ? `\u001b[${color}m${sign}\u001b[39m` : sign;
  return `${mark} ${plain(todo === undefined ? says : `${says} → ${todo}`)}`;
}

/** Whether colors are wanted there. https://no-color.org */
export function wantsColor(
  output: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return output.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
