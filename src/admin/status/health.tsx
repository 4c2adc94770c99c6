import type { JSX } from 'preact';
import { Prose } from '../prose.tsx';
import type { HealthSummary } from './health-summary.ts';

type HealthProps = {
  readonly summary: HealthSummary;
  /** The document with the runbooks. */
  readonly runbooks: string;
};

/** Only the name is a live region: it speaks up when the state changes, not with every figure. */
export function Health({ summary, runbooks }: HealthProps): JSX.Element {
  const { mood, name, line, advice, also, runbook } = summary;
  return (
    <section class="state" aria-label="State" data-mood={mood}>
      <p class="state-name" role="status">
        {name}
      </p>
      <div class="state-says">
        <p class="state-line">{line}</p>
        <p>
          <Prose text={advice} />
          {runbook && (
            <>
              {' '}
              <a href={`${runbooks}#${runbook}`}>Runbook</a>
            </>
          )}
        </p>
        <ul class="also">
          {also.map((remark) => (
            <li>{remark}</li>
          ))}
        </ul>
      </div>
    </section>
  );
}
