import type { JSX } from 'preact';
import type { RelayStatus } from '../../edge/operator/relay-status.ts';
import { clock, count, counted } from '../format.ts';
import { plainText } from '../plain-text.ts';
import { TableHead } from '../table-head.tsx';

type Plan = NonNullable<RelayStatus['trackingPlan']>;

const MODES = {
  off: 'TRACKING_PLAN is off: nothing is checked against the plan.',
  report: 'TRACKING_PLAN is report: these records were accepted anyway.',
  enforce: 'TRACKING_PLAN is enforce: these were refused.',
};

/** How records violated the tracking plan. Their senders chose the names that are in no plan. */
export function Violations({ plan, now }: { readonly plan: Plan; readonly now: number }): JSX.Element {
  const { mode, kinds } = plan;
  return (
    <section class="panel" aria-labelledby="off-plan-title">
      <div class="heading">
        <h2 id="off-plan-title">Tracking plan violations</h2>
        <p class="small">{MODES[mode]}</p>
      </div>
      {kinds.length > 0 && (
        <table class="grid off-plan">
          <TableHead columns={['event', 'violation', 'records', 'last']} />
          <tbody>
            {kinds.map(({ of, path, rule, count: times, lastAt }) => (
              <tr key={`${of} ${path} ${rule}`}>
                <th scope="row">{plainText(of)}</th>
                <td>{`${plainText(path)} ${rule}`}</td>
                <td>{count(times)}</td>
                <td>{clock(lastAt, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="small">{noteOn(plan)}</p>
    </section>
  );
}

function noteOn({ kinds, others }: Plan): string {
  if (others > 0) return `And ${counted(others, 'more', 'more')}, in more ways than are kept apart.`;
  return kinds.length === 0 ? 'None in the last 7 days.' : '';
}
