import type { Reporter, TestCase } from 'vitest/node';
import { type Cell, table } from './table.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Of the scenarios in the engines: what the table tells of them. */
    cell?: Cell;
  }
}

/** Prints what became of each visitor's events, if any scenario ran; of an interrupted run, up to that point. */
export default class TableReporter implements Reporter {
  readonly #cells: Cell[] = [];

  onTestCaseResult(test: TestCase): void {
    const { cell } = test.meta();
    if (cell === undefined) return;
    // Behind the other reporters' summary.
    if (this.#cells.push(cell) === 1) process.on('exit', () => console.log(`\n${table(this.#cells)}\n`));
  }
}
