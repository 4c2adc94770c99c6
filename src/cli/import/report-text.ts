import type { ImportReport, Reason } from '../../import/read/report.ts';
import type { ImportColumn } from '../../import/read/source.ts';
import { plain } from '../plain-text.ts';

/** What each column becomes, as a table. */
export function columnLines(columns: readonly ImportColumn[]): string[] {
  const rows = columns.map(({ name, field, type, decided }) => [name, field ?? '–', type ?? '–', decided]);
  return tableLines([['column', 'field', 'type', 'decided by'], ...rows]);
}

/** The result of a check, with the reasons. */
export function reportLines(report: ImportReport): string[] {
  const { rows, good, refused, repaired } = report;
  const repairs = repaired > 0 ? `, ${number(repaired)} of the good ones repaired` : '';
  return [
    `${counted(rows, 'row')}: ${number(good)} good, ${number(refused)} refused${repairs}`,
    ...foundLines(report),
  ];
}

/**
 * The result of sending, with the reasons.
 *
 * @param rows of the file
 */
export function sentLines(report: ImportReport, duplicates: number, rows: number): string[] {
  const { good, refused, repaired } = report;
  const counts = [`${number(good)} sent`, `${number(refused)} refused`];
  if (repaired > 0) counts.push(`${number(repaired)} of the sent ones repaired`);
  if (duplicates > 0) counts.push(`${number(duplicates)} of the sent ones were at the relay already`);
  if (report.rows < rows) counts.push(`${number(rows - report.rows)} not yet sent`);
  return [`${counted(rows, 'row')}: ${counts.join(', ')}`, ...foundLines(report)];
}

function foundLines({ reasons, repairs, otherReasons }: ImportReport): string[] {
  const lines: string[] = [];
  if (reasons.length > 0) lines.push('', ...reasonLines('refused because', reasons));
  if (repairs.length > 0) lines.push('', ...reasonLines('repaired because', repairs));
  if (otherReasons > 0) lines.push('', `and for other reasons ${number(otherReasons)} times`);
  return lines;
}

function reasonLines(title: string, reasons: readonly Reason[]): string[] {
  const rows = reasons.map(({ path, message, rows: count, firstRows }) => [
    number(count),
    `${path} ${message}`.trim(),
    firstRows.join(', ') + (count > firstRows.length ? ', …' : ''),
  ]);
  return tableLines([['rows', title, 'row numbers, without the header'], ...rows]);
}

const number = (value: number) => value.toLocaleString('en-US');
const counted = (value: number, noun: string) => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;

const MAX_WIDTH = 40;
const GAP = '  ';

/** Aligns cells in columns of limited width, and removes control characters, since the text comes from a file. */
function tableLines(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(plain));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.min(MAX_WIDTH, Math.max(...cells.map((row) => row[column]?.length ?? 0))),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}
