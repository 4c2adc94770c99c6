import type { Issue } from '../../contract/issue.ts';
import type { ServerPlatform } from '../../server/platform.ts';
import type { ImportSource } from '../read/source.ts';
import type { Halt } from './halt.ts';
import type { Ledger, ReadyRow, RefusedRow } from './ledger/ledger.ts';

/** Brings rows to their destination, and notes in the ledger what became of each. */
export type Sender = {
  /** Sends what an earlier run may have sent without noting an answer. Comes first, if at all. */
  readonly resume?: (readAgain: ImportSource['readAgain']) => Promise<void>;
  readonly add: (row: ReadyRow) => void;
  readonly hasRoom: () => boolean;
  /** Resolves when there is room for more rows, or the run is halted. */
  readonly room: () => Promise<void>;
  /** Resolves when each row has ended; if the run is halted, when nothing is under way. */
  readonly finish: () => Promise<void>;
  /** Aborts the calls under way. */
  readonly abort: () => void;
};

/** What a sender takes from outside. */
export type SenderPorts = Pick<ServerPlatform, 'time' | 'chance' | 'digest' | 'fetch'> & {
  readonly ledger: Ledger;
  readonly halt: Halt;
};

/** A row that was ready, and is refused by its destination. */
export function refusedAs({ number, line, json }: ReadyRow, issues: readonly Issue[]): RefusedRow {
  return { number, line, ok: false, issues, row: JSON.parse(json) };
}
