import type { Issue } from '../../contract/issue.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { Repair } from '../../contract/repair/repair.ts';

/** One row of the file, checked by the contract. */
export type ImportRow = {
  /** From 1. A header does not count. */
  readonly number: number;
  /** The line in the file where the row begins, from 1, for messages. */
  readonly line: number;
} & (
  | {
      readonly ok: true;
      readonly kind: RecordKind;
      /** The user id or anonymous id: rows of one person must stay in order. */
      readonly person: string;
      /** The record without id and age, as JSON. */
      readonly json: string;
      readonly bytes: number;
      /** Changes that let the row pass. Left out if nothing was changed. */
      readonly repairs?: readonly Repair[];
    }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly row: unknown }
);

/** What a column of the file becomes. */
export type ImportColumn = {
  /** The column's name: in the header, or in the rows' objects. */
  readonly name: string;
  /** Such as `email` or `attributes.Plan`. Undefined if the column is left out. */
  readonly field: string | undefined;
  /** The type of its values, in WebEngage's words. Undefined if the column is left out or empty. */
  readonly type: string | undefined;
  /** How field and type were decided, in words. */
  readonly decided: string;
};

/** A file that has been read once: its digest is known, its columns are mapped, its types are decided. */
export type ImportSource = {
  /** SHA-256 of the file's bytes and of everything that decides what becomes of a row, hex. */
  readonly digest: string;
  readonly rows: number;
  /** What each column becomes, for the table that the command shows before it sends. */
  readonly columns: readonly ImportColumn[];
  /**
   * The rows, again and again from the start. Without `wants`, all of them; others are skipped without a check.
   * Throws an ImportError if the file is no longer the one that was read first.
   */
  readonly read: (wants?: (number: number) => boolean) => AsyncIterable<ImportRow>;
  /**
   * Rows that an earlier run has found good, as they were: without the rules that may have changed since, which are
   * the age of events, the plan and repairs.
   */
  readonly readAgain: (wants: (number: number) => boolean) => AsyncIterable<ImportRow>;
};

/** The file, or what was said about it, can't be used. The message names the place, the rule and the remedy. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}
