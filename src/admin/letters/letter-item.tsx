import type { JSX } from 'preact';
import type { Letter } from '../../edge/operator/routes.ts';
import type { Action } from '../client.ts';
import { clock, counted } from '../format.ts';
import { plainText, recordText } from '../plain-text.ts';

type LetterItemProps = {
  readonly letter: Letter;
  readonly now: number;
  readonly isSelected: boolean;
  readonly select: (isSelected: boolean) => void;
  readonly settle: (action: Action) => void;
};

/** A dead letter: what it is and what WebEngage said in two lines, the record when opened. */
export function LetterItem({ letter, now, isSelected, select, settle }: LetterItemProps): JSX.Element {
  const name = nameOf(letter);
  const message = messageOf(letter);
  const acceptedAt = clock(letter.acceptedAt, now);
  return (
    <li class="letter">
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
            text={`${clock(letter.givenUpAt, now)}, after ${counted(letter.attempts, 'attempt')}`}
          />
          <Fact term="WebEngage’s words" text={message} />
          <Fact term="browser" text={plainText(letter.device)} />
          <Fact term="letter" text={letter.id} />
        </dl>
        <pre>{recordText(letter.record)}</pre>
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

function nameOf({ kind, record }: Letter): string {
  const name = kind === 'event' ? record.eventName : (record.userId ?? record.anonymousId);
  return plainText(kind === 'event' ? String(name) : `user ${name}`);
}

function messageOf({ status, words }: Letter): string {
  return `${status === 0 ? 'no answer' : status} ${plainText(words === '' ? '(no words)' : words)}`;
}
