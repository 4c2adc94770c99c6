import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeadLetterPage, ListedDeadLetter } from '../../edge/operator/routes.ts';
import { type Action, type Client, type Outcome, PAGE_SIZE, type Selection } from '../client.ts';
import { count, counted } from '../format.ts';
import { joined, readDeadLetters } from './pages.ts';

const DONE = {
  replay: 'replayed: they go to WebEngage again, under a new x-request-id',
  discard: 'discarded',
};

// The export is read from memory by then, in every browser.
const DOWNLOAD_MS = 60_000;

/** What the list of dead letters needs to know, and whom it tells. */
export type DeadLettersProps = {
  readonly client: Client;
  /** How many there are, and when the relay said so. */
  readonly total: number;
  readonly at: number;
  /** The relay does not take the token any more. */
  readonly onRefused: () => void;
  /** There are fewer letters now. */
  readonly onSettled: () => void;
};

export type DeadLetterList = {
  readonly deadLetters: readonly ListedDeadLetter[];
  readonly hasMore: boolean;
  /** The relay has other letters by now than are listed. */
  readonly isOutdated: boolean;
  /** What became of what was done last. */
  readonly report: { readonly text: string; readonly isSettled?: true };
  readonly read: () => Promise<void>;
  readonly readMore: () => Promise<void>;
  readonly settle: (action: Action, selection: Selection) => Promise<void>;
  readonly download: () => Promise<void>;
};

/** The dead letters that are listed: reads them as they change, replays and discards them. */
export function useDeadLetters({
  client,
  total,
  at,
  onRefused,
  onSettled,
}: DeadLettersProps): DeadLetterList {
  const [page, setPage] = useState<DeadLetterPage>({ deadLetters: [], next: null });
  const [report, setReport] = useState<DeadLetterList['report']>({ text: '' });
  const [isOutdated, setIsOutdated] = useState(false);
  const totalAsRead = useRef(0);
  const isReading = useRef(false);
  const isSettling = useRef(false);

  // A long list is read anew only when asked to: it would move under the reader's eyes.
  useEffect(() => {
    const hasChanged = total !== totalAsRead.current;
    const isShort = page.deadLetters.length <= PAGE_SIZE;
    if (hasChanged && isShort) void read(total);
    setIsOutdated(hasChanged && !isShort);
  }, [at]);

  function bodyOf<Body>(outcome: Outcome<Body>): Body | undefined {
    if (outcome.kind === 'ok') return outcome.body;
    if (outcome.kind === 'unauthorized') onRefused();
    else setReport({ text: `The action failed. ${outcome.reason}` });
    return undefined;
  }

  async function read(totalByNow: number): Promise<void> {
    if (isReading.current) return;
    isReading.current = true;
    const body = bodyOf(await readDeadLetters(client.deadLetters, Math.max(1, page.deadLetters.length)));
    isReading.current = false;
    if (body === undefined) return;
    totalAsRead.current = totalByNow;
    setPage(body);
    setIsOutdated(false);
  }

  async function readMore(): Promise<void> {
    const body = bodyOf(await client.deadLetters(page.next));
    if (body !== undefined) setPage((current) => joined(current.deadLetters, body));
  }

  async function settle(action: Action, selection: Selection): Promise<void> {
    // A second press would find the letters gone, and say that it did nothing.
    if (isSettling.current) return;
    isSettling.current = true;
    const settled = bodyOf(await client.settle(action, selection));
    isSettling.current = false;
    if (settled === undefined) return;
    setReport({ text: `${count(settled)} ${DONE[action]}.`, isSettled: true });
    await read(total - settled);
    onSettled();
  }

  async function download(): Promise<void> {
    const blob = bodyOf(await client.exportDeadLetters());
    if (blob === undefined) return;
    const href = URL.createObjectURL(blob);
    Object.assign(document.createElement('a'), { href, download: 'dead-letters.ndjson' }).click();
    setTimeout(() => URL.revokeObjectURL(href), DOWNLOAD_MS);
    setReport({ text: `${counted(total, 'dead letter')} exported.` });
  }

  const { deadLetters, next } = page;
  const hasMore = next !== null;
  return { deadLetters, hasMore, isOutdated, report, read: () => read(total), readMore, settle, download };
}
