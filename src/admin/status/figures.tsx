import type { JSX } from 'preact';
import type { RelayStatus } from '../../edge/operator/relay-status.ts';
import { count, duration, growth, shortCount } from '../format.ts';
import { lastFull, type Minute } from '../plots/last-hour.ts';

type FiguresProps = { readonly status: RelayStatus; readonly hour: readonly Minute[] };

/** The figures of this moment, as tiles. */
export function Figures({ status, hour }: FiguresProps): JSX.Element {
  const { backlog, gate, recordsPerCall } = status;
  const calls = lastFull(hour)?.calls ?? 0;
  const used = Math.round((calls / Math.max(1, gate.requestsPerMinute)) * 100);
  const running = hour.at(-1)?.calls ?? 0;
  return (
    <dl class="tiles" aria-label="Now">
      <Tile
        name="Waiting"
        figure={count(backlog.records)}
        more={`there is room for ${shortCount(backlog.maxRecords)}`}
      />
      <Tile
        name="Oldest record"
        figure={backlog.records === 0 ? '–' : duration(backlog.oldestAgeMs)}
        more="since the relay accepted it"
      />
      <Tile name="Growth a minute" figure={growth(backlog.growthPerMinute)} more={emptyIn(backlog)} />
      <Tile
        name="Calls, last full minute"
        figure={count(calls)}
        more={`${used} % of ${count(gate.requestsPerMinute)}; ${count(running)} so far in this one`}
      />
      <Tile
        name="Records a call"
        figure={recordsPerCall === null ? '–' : recordsPerCall.toFixed(1)}
        more="of 25 that fit, over the last hour"
      />
    </dl>
  );
}

type TileProps = { readonly name: string; readonly figure: string; readonly more: string };

function Tile({ name, figure, more }: TileProps) {
  return (
    <div class="panel">
      <dt>{name}</dt>
      <dd>{figure}</dd>
      <dd class="small">{more}</dd>
    </div>
  );
}

function emptyIn({ records, drainMs }: RelayStatus['backlog']): string {
  if (records === 0 || drainMs === 0) return 'it is empty';
  return drainMs === null ? 'it does not drain' : `empty in ${duration(drainMs)}`;
}
