import type { JSX } from 'preact';
import { Prose } from '../prose.tsx';
import type { HealthSummary } from './health-summary.ts';

/** Only the name is a live region: it speaks up when the state changes, not with every figure. */
export function Health({ summary }: { readonly summary: HealthSummary }): JSX.Element {
  const { mood, name, line, advice, also } = summary;
  return (
    <section class="state" aria-label="State" data-mood={mood}>
      <p class="state-name" role="status">
        {name}
      </p>
      <div class="state-says">
        <p class="state-line">{line}</p>
        <p>
          <Prose text={advice} />
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
