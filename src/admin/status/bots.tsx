import type { JSX } from 'preact';
import type { RelayStatus } from '../../edge/operator/relay-status.ts';
import { count } from '../format.ts';
import { TableHead } from '../table-head.tsx';

type Bots = RelayStatus['bots'];
type Row = { readonly name: string; readonly of: (counted: Bots['total']) => number };

const MODES = {
  off: 'BOTS is off: bots are not counted.',
  count: 'BOTS is count: these records were accepted like all others.',
  refuse: 'BOTS is refuse: these records cost no call.',
};

const ROWS: readonly Row[] = [
  { name: 'by user agent', of: ({ bySign }) => bySign.user_agent },
  { name: 'by navigator.webdriver', of: ({ bySign }) => bySign.webdriver },
  { name: 'by Cloudflare', of: ({ bySign }) => bySign.cloudflare },
  { name: 'all', of: ({ records }) => records },
  { name: 'refused', of: ({ refused }) => refused },
  { name: 'calls that all of them cost, or would cost', of: ({ calls }) => calls },
];

/** The records of bots, and what they cost. */
export function BotRecords({ bots }: { readonly bots: Bots }): JSX.Element {
  const { mode, lastHour, total } = bots;
  return (
    <section class="panel" aria-labelledby="bots-title">
      <div class="heading">
        <h2 id="bots-title">Records of bots</h2>
        <p class="small">{MODES[mode]}</p>
      </div>
      {total.records === 0 ? (
        <p class="small">None so far.</p>
      ) : (
        <table class="grid">
          <TableHead columns={['records', 'last hour', 'in total']} />
          <tbody>
            {ROWS.map(({ name, of }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{count(of(lastHour))}</td>
                <td>{count(of(total))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
