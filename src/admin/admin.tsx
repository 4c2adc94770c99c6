import { type JSX, render } from 'preact';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import { DeadLetters } from './dead-letters/dead-letters.tsx';
import { clock } from './format.ts';
import { lastHour } from './plots/last-hour.ts';
import { Plots } from './plots/plots.tsx';
import { SignIn } from './sign-in.tsx';
import { ActiveAlerts } from './status/alerts.tsx';
import { BotRecords } from './status/bots.tsx';
import { Figures } from './status/figures.tsx';
import { Health } from './status/health.tsx';
import { healthSummary, outOfReach } from './status/health-summary.ts';
import { Ledgers, Outboxes, Senders } from './status/tables.tsx';
import { Violations } from './status/violations.tsx';
import { useVisit } from './use-visit.ts';
import type { Visit } from './visit.ts';

function Admin(): JSX.Element {
  const { visit, enter, leave, refuse, refresh } = useVisit();
  const { client, status, message } = visit;
  const isLive = message === '';
  const hour = useMemo(() => (status ? lastHour(status.minutes, status.at) : []), [status]);
  const summary =
    status && (isLive ? healthSummary(status) : outOfReach(message, clock(status.at, Date.now())));
  useLayoutEffect(() => {
    document.title = `${summary?.name ?? 'Admin page'} · relay`;
  });

  return (
    <>
      <Bar visit={visit} leave={leave} />
      {client && status && summary ? (
        <main id="figures" class={isLive ? 'figures' : 'figures stale'}>
          <Health summary={summary} runbooks={status.alerts.runbooks} />
          <Figures status={status} hour={hour} />
          <ActiveAlerts client={client} alerts={status.alerts} now={status.at} />
          <Plots hour={hour} limit={status.gate.requestsPerMinute} />
          <DeadLetters
            client={client}
            total={status.deadLetters}
            at={status.at}
            onRefused={refuse}
            onSettled={refresh}
          />
          {status.trackingPlan && <Violations plan={status.trackingPlan} now={status.at} />}
          <Ledgers status={status} />
          <Senders lanes={status.lanes} senders={status.senders} />
          <BotRecords bots={status.bots} />
          <Outboxes shards={status.shards} />
        </main>
      ) : (
        <SignIn message={message} isTrying={client !== undefined} enter={enter} />
      )}
    </>
  );
}

function Bar({ visit, leave }: { readonly visit: Visit; readonly leave: () => void }) {
  const { status, message } = visit;
  return (
    <header class="bar">
      <img src="/admin/icon.svg" alt="" width="28" height="28" />
      <h1>
        webengage-relay <span class="small">{status?.version}</span>
      </h1>
      {status && (
        <>
          <p class={`freshness small ${message === '' ? 'fresh' : 'lost'}`}>
            {message === '' ? `live, ${clock(status.at, status.at)}` : 'not live'}
          </p>
          <button type="button" onClick={leave}>
            Forget the token
          </button>
        </>
      )}
    </header>
  );
}

render(<Admin />, document.body);
