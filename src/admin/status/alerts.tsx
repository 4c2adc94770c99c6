import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RelayStatus, TestedAlerts } from '../../edge/operator/relay-status.ts';
import type { Client, Outcome } from '../client.ts';
import { clock, counted } from '../format.ts';

type Alerts = RelayStatus['alerts'];
type Destination = Alerts['destinations'][number];

const NAMES: Readonly<Record<Destination['form'], string>> = {
  json: 'Webhook',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
};

type AlertsProps = { readonly client: Client; readonly alerts: Alerts; readonly now: number };

/** The active alerts, and whether messages about them arrive. */
export function ActiveAlerts({ client, alerts, now }: AlertsProps): JSX.Element {
  const { active, destinations } = alerts;
  const [tested, setTested] = useState('');
  const test = async () => {
    setTested('Sending a test.');
    setTested(testResult(await client.testAlerts()));
  };
  return (
    <section class="panel" aria-labelledby="alerts-title">
      <div class="heading">
        <h2 id="alerts-title">Alerts</h2>
        {destinations.length > 0 && (
          <button type="button" onClick={test}>
            Send a test
          </button>
        )}
      </div>
      <ul>
        {active.map(({ alert, title, what, since, link }) => (
          <li key={alert}>
            {`${title}, since ${clock(since, now)}. ${what} `}
            <a href={link}>Runbook</a>
          </li>
        ))}
      </ul>
      {active.length === 0 && <p>No alert is active.</p>}
      {destinations.map((destination, index) => (
        <p class="small" key={index}>
          {deliveryLine(destination, now)}
        </p>
      ))}
      {destinations.length === 0 && (
        <p class="small">
          No messages are sent: set <code>ALERT_WEBHOOK</code>.
        </p>
      )}
      <p class="small" role="status">
        {tested}
      </p>
    </section>
  );
}

function deliveryLine({ form, waiting, last }: Destination, now: number): string {
  const name = NAMES[form];
  if (last === null) return `${name}: no message was sent yet.`;
  const rest = waiting === 0 ? '' : ` ${counted(waiting, 'message')} to send again.`;
  const outcome = last.delivered ? 'arrived' : `failed with ${statusText(last.status)}`;
  return `${name}: the last message ${outcome} at ${clock(last.at, now)}.${rest}`;
}

function testResult(outcome: Outcome<TestedAlerts>): string {
  switch (outcome.kind) {
    case 'ok':
      return outcome.body.sent
        .map(({ form, delivered, status }) =>
          delivered
            ? `${NAMES[form]}: the test arrived.`
            : `${NAMES[form]}: the test failed with ${statusText(status)}.`,
        )
        .join(' ');
    case 'unauthorized':
      return 'The relay does not know this token.';
    case 'failed':
      return outcome.reason;
  }
}

const statusText = (status: number) => (status === 0 ? 'no answer' : `${status}`);
