import type { EngineName } from './engine.ts';
import type { Count } from './visit.ts';

/** One scenario in one engine. */
export type Cell = {
  readonly scenario: string;
  readonly engine: EngineName;
  readonly tookMs: number;
} & (
  | { readonly end: 'impossible'; readonly why: string }
  | { readonly end: 'played'; readonly count: Count; readonly trouble?: string }
);

/** Nothing lost, nothing doubled, and all went as the scenario says. */
export function passed(cell: Cell): boolean {
  return (
    cell.end === 'impossible' ||
    (cell.count.lost === 0 && cell.count.doubled === 0 && cell.trouble === undefined)
  );
}

/** A line for one cell, and what is to be said of it. */
export function line(cell: Cell): string {
  const head = `${cell.engine.padEnd(9)}${cell.scenario.padEnd(68)}`;
  if (cell.end === 'impossible') return `${head}   -       -       -       -  not played: ${cell.why}`;
  const { made, arrived, lost, doubled } = cell.count;
  const numbers = [made, arrived, lost, doubled].map((number) => String(number).padStart(4)).join('    ');
  const seconds = `${(cell.tookMs / 1000).toFixed(1)} s`.padStart(7);
  return `${head}${numbers}  ${seconds}  ${passed(cell) ? 'passed' : 'FAILED'}${cell.trouble === undefined ? '' : `: ${cell.trouble}`}`;
}

export function table(cells: readonly Cell[]): string {
  const head = `${'engine'.padEnd(9)}${'scenario'.padEnd(68)}made arrived    lost doubled`;
  const count = (good: boolean) =>
    cells.filter((cell) => passed(cell) === good && cell.end === 'played').length;
  const impossible = cells.length - count(true) - count(false);
  const rest = impossible === 0 ? '' : `, ${impossible} not played`;
  return [head, ...cells.map(line), '', `${count(true)} passed, ${count(false)} failed${rest}`].join('\n');
}
