import type { JSX } from 'preact';
import type { Action } from '../client.ts';
import { count } from '../format.ts';

type DeadLetterToolsProps = {
  /** How many letters there are, how many of them are listed, and how many of those selected. */
  readonly total: number;
  readonly listed: number;
  readonly selected: number;
  readonly selectAll: (isSelected: boolean) => void;
  readonly settleSelected: (action: Action) => void;
  readonly settleAll: (action: Action) => void;
  readonly download: () => void;
};

const ACTIONS = [
  ['replay', 'Replay'],
  ['discard', 'Discard'],
] as const;

/** What can be done with several letters at once. */
export function DeadLetterTools(props: DeadLetterToolsProps): JSX.Element {
  const { total, listed, selected, selectAll, settleSelected, settleAll, download } = props;
  return (
    <div class="tools">
      <label class="select-all">
        <input
          type="checkbox"
          checked={selected > 0 && selected === listed}
          indeterminate={selected > 0 && selected < listed}
          onChange={({ currentTarget }) => selectAll(currentTarget.checked)}
        />{' '}
        all shown
      </label>
      {ACTIONS.map(([action, verb]) => (
        <button key={action} type="button" disabled={selected === 0} onClick={() => settleSelected(action)}>
          {selected === 0 ? `${verb} selected` : `${verb} ${count(selected)} selected`}
        </button>
      ))}
      <span class="gap" />
      {ACTIONS.map(([action, verb]) => (
        <button key={action} type="button" onClick={() => settleAll(action)}>
          {`${verb} all ${count(total)}`}
        </button>
      ))}
      <button type="button" onClick={download}>
        Export NDJSON
      </button>
    </div>
  );
}
