import type { EngineName } from './engines/engine.ts';

/** What became of the events of one visitor. */
export type Count = {
  readonly made: number;
  readonly arrived: number;
  readonly lost: number;
  /** The numbers of the lost ones: they tell in which round they were made. */
  readonly missing: readonly number[];
  readonly doubled: number;
  /** Those that arrived behind one made after them; undefined where several tabs made them at once. */
  readonly disordered: number | undefined;
  /** Those that arrived though nobody made them. */
  readonly strange: number;
  /** Calls whose promises had not resolved when the browser was killed, and how many of them arrived all the same. */
  readonly unpromised: { readonly made: number; readonly arrived: number };
};

/** The numbers of a visitor's events, by what is promised of them. */
export type Numbers = {
  readonly made: readonly number[];
  readonly unmade: readonly number[];
  readonly unpromised: readonly number[];
};

/** What arrived, of what was made. Of doubles the first arrival tells the order. */
export function countOf({ made, unmade, unpromised }: Numbers, taken: readonly number[]): Count {
  const arrived = new Set(taken);
  const inOrder = [...arrived];
  const missing = made.filter((n) => !arrived.has(n));
  return {
    made: made.length,
    arrived: made.length - missing.length,
    lost: missing.length,
    missing,
    doubled: taken.length - arrived.size,
    disordered: inOrder.filter((n, index) => n < (inOrder[index - 1] ?? n)).length,
    strange: unmade.filter((n) => arrived.has(n)).length,
    unpromised: { made: unpromised.length, arrived: unpromised.filter((n) => arrived.has(n)).length },
  };
}

/** One scenario in one engine. */
export type Cell = {
  readonly scenario: string;
  readonly engine: EngineName;
} & (
  | { readonly end: 'impossible'; readonly why: string }
  | {
      readonly end: 'ran';
      readonly tookMs: number;
      readonly count: Count;
      /** What did not go as the scenario says; undefined where all did. */
      readonly trouble: string | undefined;
    }
);

const COLUMNS = ['made', 'arrived', 'lost', 'doubled', 'disordered'] as const;
const WIDTHS = COLUMNS.map((name) => name.length + 2);
const ENGINE_WIDTH = 10;

function line(cell: Cell, titleWidth: number): string {
  const head = `${cell.scenario.padEnd(titleWidth)}${cell.engine.padEnd(ENGINE_WIDTH)}`;
  if (cell.end === 'impossible') return `${head}  not run: ${cell.why}`;
  const numbers = COLUMNS.map((name, index) => String(cell.count[name] ?? '-').padStart(WIDTHS[index] ?? 0));
  const seconds = (cell.tookMs / 1000).toFixed(1).padStart(7);
  const { made, arrived } = cell.count.unpromised;
  const unpromised = made === 0 ? '' : `  and ${arrived} of ${made} that were not promised`;
  return `${head}${numbers.join('')}${seconds} s${unpromised}${cell.trouble === undefined ? '' : `  FAILED: ${cell.trouble}`}`;
}

/** All cells, those of one scenario together, and how they ended. */
export function table(cells: readonly Cell[]): string {
  const scenarios = [...new Set(cells.map(({ scenario }) => scenario))];
  const titleWidth = Math.max(...scenarios.map(({ length }) => length)) + 2;
  const lines = scenarios.flatMap((title) =>
    cells.filter(({ scenario }) => scenario === title).map((cell) => line(cell, titleWidth)),
  );
  const columns = COLUMNS.map((name, index) => name.padStart(WIDTHS[index] ?? 0)).join('');
  const head = `${'scenario'.padEnd(titleWidth)}${'engine'.padEnd(ENGINE_WIDTH)}${columns}     took`;
  const ran = cells.filter((cell) => cell.end === 'ran');
  const failed = ran.filter(({ trouble }) => trouble !== undefined).length;
  const end = `${ran.length - failed} of ${ran.length} cells passed, ${cells.length - ran.length} not run`;
  return [head, ...lines, end].join('\n');
}
