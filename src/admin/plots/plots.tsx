import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { count, hourAndMinute } from '../format.ts';
import { TableHead } from '../table-head.tsx';
import { Calls } from './calls.tsx';
import type { Minute } from './last-hour.ts';
import { Traffic } from './traffic.tsx';

type PlotsProps = { readonly hour: readonly Minute[]; readonly limit: number };

/** The last hour, as plots and as a table. */
export function Plots({ hour, limit }: PlotsProps): JSX.Element {
  return (
    <section class="screen plots" aria-label="The last 60 minutes">
      <Calls hour={hour} limit={limit} />
      <Traffic hour={hour} />
      <MinuteTable hour={hour} />
    </section>
  );
}

function MinuteTable({ hour }: Pick<PlotsProps, 'hour'>) {
  // Sixty rows that nobody looks at need not be made every two seconds.
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>Minute by minute</summary>
      <table class="grid">
        <TableHead columns={['minute', 'accepted', 'delivered', 'dead letters', 'calls', 'failed']} />
        <tbody>
          {isOpen &&
            hour.toReversed().map((minute) => (
              <tr key={minute.at}>
                <th scope="row">{hourAndMinute(minute.at)}</th>
                <td>{count(minute.accepted)}</td>
                <td>{count(minute.delivered)}</td>
                <td>{count(minute.deadLetters)}</td>
                <td>{count(minute.calls)}</td>
                <td>{count(minute.failed)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  );
}
