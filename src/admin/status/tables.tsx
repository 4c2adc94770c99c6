import type { JSX } from 'preact';
import type { RelayStatus } from '../../edge/operator/relay-status.ts';
import { bytes, count, duration } from '../format.ts';
import { plainText } from '../plain-text.ts';
import { TableHead } from '../table-head.tsx';
import { callLedger, deadLetterLedger, intakeLedger, type LedgerRow, recordLedger } from './ledger.ts';

/** Where every record and call went, as tables that add up. */
export function Ledgers({ status }: { readonly status: RelayStatus }): JSX.Element {
  return (
    <div class="ledgers">
      <section class="panel" aria-labelledby="records-title">
        <h2 id="records-title">Accepted records</h2>
        <Ledger rows={recordLedger(status)} />
      </section>
      <section class="panel" aria-labelledby="calls-title">
        <h2 id="calls-title">Answers of WebEngage</h2>
        <Ledger rows={callLedger(status)} />
      </section>
      <section class="panel" aria-labelledby="intake-title">
        <h2 id="intake-title">Not accepted</h2>
        <Ledger rows={intakeLedger(status)} />
        <h2>Outcomes of dead letters</h2>
        <Ledger rows={deadLetterLedger(status)} />
      </section>
    </div>
  );
}

function Ledger({ rows }: { readonly rows: readonly LedgerRow[] }) {
  return (
    <table class="ledger">
      <tbody>
        {rows.map(({ name, amount, means, isSum }) => (
          <tr key={name} class={isSum ? 'sum' : amount === 0 ? 'none' : ''}>
            <th scope="row">
              {name}
              <span class="small">{means}</span>
            </th>
            <td>{count(amount)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const LANE_NAMES = { live: 'pages', server: 'servers', import: 'imports' };

/** The backlog of each lane, and the records of each sender. Left out if only pages send, as at most relays. */
export function Senders({ lanes, senders }: Pick<RelayStatus, 'lanes' | 'senders'>): JSX.Element | null {
  if (senders.length < 2) return null;
  return (
    <section class="panel" aria-labelledby="senders-title">
      <h2 id="senders-title">Lanes</h2>
      <table class="grid">
        <TableHead columns={['lane', 'waiting', 'oldest']} />
        <tbody>
          {lanes.map(({ lane, records, oldestAgeMs }) => (
            <tr key={lane}>
              <th scope="row">{LANE_NAMES[lane]}</th>
              <td>{count(records)}</td>
              <td>{records === 0 ? '–' : duration(oldestAgeMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2>Senders</h2>
      <table class="grid">
        <TableHead columns={['sender', 'lane', 'accepted', 'duplicates', 'rejected']} />
        <tbody>
          {senders.map(({ name, lane, accepted, duplicates, rejected }) => (
            <tr key={`${name} ${lane}`}>
              <th scope="row">{name === null ? 'all pages' : plainText(name)}</th>
              <td>{LANE_NAMES[lane]}</td>
              <td>{count(accepted)}</td>
              <td>{count(duplicates)}</td>
              <td>{count(rejected)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The outboxes, where there are several: the one of most relays is the backlog above. */
export function Outboxes({ shards }: Pick<RelayStatus, 'shards'>): JSX.Element | null {
  if (shards.length < 2) return null;
  return (
    <section class="panel" aria-labelledby="outboxes-title">
      <h2 id="outboxes-title">Outboxes</h2>
      <table class="grid">
        <TableHead columns={['outbox', 'waiting', 'oldest', 'dead letters', 'database']} />
        <tbody>
          {shards.map((outbox) => (
            <OutboxRow key={outbox.name} outbox={outbox} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function OutboxRow({ outbox }: { readonly outbox: RelayStatus['shards'][number] }) {
  const { name, records, oldestAgeMs, deadLetters, databaseBytes, unreachable } = outbox;
  return (
    <tr class={unreachable ? 'silent' : ''}>
      <th scope="row">{name}</th>
      {unreachable ? (
        <td colSpan={4}>does not answer</td>
      ) : (
        <>
          <td>{count(records)}</td>
          <td>{records === 0 ? '–' : duration(oldestAgeMs)}</td>
          <td>{count(deadLetters)}</td>
          <td>{bytes(databaseBytes)}</td>
        </>
      )}
    </tr>
  );
}
