import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Action, Selection } from '../client.ts';
import { useConfirm } from '../confirm.tsx';
import { count, counted } from '../format.ts';
import { DeadLetterItem } from './dead-letter-item.tsx';
import { DeadLetterTools } from './tools.tsx';
import { type DeadLettersProps, useDeadLetters } from './use-dead-letters.ts';

const DISCARD = 'This can’t be undone. First export what you may want to look at later.';
const REPLAY_ALL =
  'This includes those that come until then. They go to WebEngage again; what it still refuses comes back here.';

/** The dead letters: to read, replay, discard and export. */
export function DeadLetters(props: DeadLettersProps): JSX.Element {
  const { total } = props;
  const { deadLetters, hasMore, isOutdated, report, read, readMore, settle, download } =
    useDeadLetters(props);
  const { confirm, dialog } = useConfirm();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const reportLine = useRef<HTMLParagraphElement>(null);

  // The pressed button may be gone with its letter: the keyboard goes on from here.
  useLayoutEffect(() => {
    if (report.isSettled) reportLine.current?.focus();
  }, [report]);

  const ids = deadLetters.map(({ id }) => id).filter((id) => chosen.has(id));
  const select = (id: string, isChosen: boolean) =>
    setChosen(new Set(isChosen ? [...ids, id] : ids.filter((other) => other !== id)));

  const settleConfirmed = async (action: Action, which: string, selection: Selection) => {
    const question = { question: `Discard ${which}?`, consequence: DISCARD, yes: 'Discard' };
    if (action === 'replay' || (await confirm(question))) await settle(action, selection);
  };
  const settleSelected = (action: Action) =>
    settleConfirmed(action, `the ${counted(ids.length, 'selected dead letter')}`, { ids });
  const settleAll = async (action: Action) => {
    const all = total === 1 ? 'the only dead letter' : `all ${counted(total, 'dead letter')}`;
    const question = { question: `Replay ${all}?`, consequence: REPLAY_ALL, yes: `Replay ${count(total)}` };
    if (action === 'discard' || (await confirm(question))) await settleConfirmed(action, all, { all: true });
  };

  const isEmpty = total === 0 && deadLetters.length === 0;
  const shown = deadLetters.length < total ? `, the first ${count(deadLetters.length)} shown` : '';
  return (
    <section class="panel" aria-labelledby="dead-letters-title">
      <div class="heading">
        <h2 id="dead-letters-title">Dead letters</h2>
        <p class="small">{total > 0 && `${count(total)}${shown}`}</p>
        {isOutdated && (
          <button type="button" onClick={read}>
            The list has changed: reload it
          </button>
        )}
      </div>
      {isEmpty ? (
        <p class="small">
          None. WebEngage has refused no record, or you have replayed or discarded them all.
        </p>
      ) : (
        <DeadLetterTools
          total={total}
          listed={deadLetters.length}
          selected={ids.length}
          selectAll={(isSelected) => setChosen(new Set(isSelected ? deadLetters.map(({ id }) => id) : []))}
          settleSelected={settleSelected}
          settleAll={settleAll}
          download={download}
        />
      )}
      {/* By its key it stays the same element, whatever stands before it: it may have the focus. */}
      <p key="report" ref={reportLine} class="said" role="status" tabIndex={-1}>
        {report.text}
      </p>
      <ol id="dead-letter-list">
        {deadLetters.map((deadLetter) => (
          <DeadLetterItem
            key={deadLetter.id}
            deadLetter={deadLetter}
            now={props.at}
            isSelected={chosen.has(deadLetter.id)}
            select={(isSelected) => select(deadLetter.id, isSelected)}
            settle={(action) => settleConfirmed(action, 'this dead letter', { ids: [deadLetter.id] })}
          />
        ))}
      </ol>
      {hasMore && (
        <button class="more" type="button" onClick={readMore}>
          More
        </button>
      )}
      {dialog}
    </section>
  );
}
