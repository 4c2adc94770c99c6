import type { JSX } from 'preact';
import type { ListedDeadLetter } from '../../edge/operator/routes.ts';
import type { Action } from '../client.ts';
import { clock, counted } from '../format.ts';
import { plainText, recordText } from '../plain-text.ts';

type DeadLetterItemProps = {
  readonly deadLetter: ListedDeadLetter;
  readonly now: number;
  readonly isSelected: boolean;
  readonly select: (isSelected: boolean) => void;
  readonly settle: (action: Action) => void;
};

/** A dead letter: what it is and what WebEngage said in two lines, the record when opened. */
export function DeadLetterItem({
  deadLetter,
  now,
  isSelected,
  select,
  settle,
}: DeadLetterItemProps): JSX.Element {
  const name = nameOf(deadLetter);
  const message = messageOf(deadLetter);
  const acceptedAt = clock(deadLetter.acceptedAt, now);
  return (
    <li class="dead-letter">
      <label class="select">
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={isSelected}
          onChange={({ currentTarget }) => select(currentTarget.checked)}
        />
      </label>
      <details>
        <summary>
          <bdi class="name">{name}</bdi>
          <span class="small">{acceptedAt}</span>
          <bdi class="words">{message}</bdi>
        </summary>
        <dl class="facts">
          <Fact term="accepted" text={acceptedAt} />
          <Fact
            term="given up"
            text={`${clock(deadLetter.givenUpAt, now)}, after ${counted(deadLetter.attempts, 'attempt')}`}
          />
          <Fact term="WebEngage’s words" text={message} />
          <Fact term="browser" text={plainText(deadLetter.device)} />
          <Fact term="id" text={deadLetter.id} />
        </dl>
        <pre>{recordText(deadLetter.record)}</pre>
      </details>
      <div class="deeds">
        <button type="button" aria-label={`Replay ${name}`} onClick={() => settle('replay')}>
          Replay
        </button>
        <button type="button" aria-label={`Discard ${name}`} onClick={() => settle('discard')}>
          Discard
        </button>
      </div>
    </li>
  );
}

function Fact({ term, text }: { readonly term: string; readonly text: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <bdi>{text}</bdi>
      </dd>
    </div>
  );
}

function nameOf({ kind, record }: ListedDeadLetter): string {
  const name = kind === 'event' ? record.eventName : (record.userId ?? record.anonymousId);
  return plainText(kind === 'event' ? String(name) : `user ${name}`);
}

function messageOf({ status, words }: ListedDeadLetter): string {
  return `${status === 0 ? 'no answer' : status} ${plainText(words === '' ? '(no words)' : words)}`;
}
