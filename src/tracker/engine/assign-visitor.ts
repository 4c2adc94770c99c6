import type { Made } from '../record/make-record.ts';
import { anonymous, type Identity, identified, visitorOf } from '../record/visitor.ts';
import type { Entry } from '../store/record-store.ts';

/** An `identify` or a `track`. */
type Draft = Pick<Made, 'at' | 'fields'> & {
  /** The record's id, always the same; asked for only where the call makes a record. */
  readonly id: () => string;
};

/** What the page called; `reset` with the next visitor's random id. */
export type Call = Draft | { readonly reset: string };

export type WrittenUp = {
  readonly entries: readonly Entry[];
  /** The visitor after these calls. */
  readonly identity: Identity;
};

/** Makes records of calls, in the order they were made: each call belongs to the visitor that the calls before it left. */
export function writeUp(
  identity: Identity,
  calls: readonly Call[],
  skipRepeatedIdentify: boolean,
): WrittenUp {
  const entries: Entry[] = [];
  let current = identity;

  for (const call of calls) {
    if ('reset' in call) {
      current = anonymous(current.device, call.reset);
      continue;
    }
    const before = current;
    const { at, fields } = call;
    if (fields.kind === 'user') {
      current = identified(before, fields);
      if (current === before && skipRepeatedIdentify) continue;
    }
    entries.push({ at, record: { ...fields, ...visitorOf(current), id: call.id() } });
  }
  return { entries, identity: current };
}
