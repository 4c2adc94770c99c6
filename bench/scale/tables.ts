import { MAX_AGE_MS } from '../../src/contract/batch.ts';
import { MAX_SHARDS } from '../../src/edge/settings/settings-table.ts';
import {
  BYTES_PER_RECORD,
  capacityOf,
  DEFAULTS,
  DRAIN_PER_SECOND,
  FLUSHES_PER_SECOND_PER_OUTBOX,
  RECORDS_PER_FLUSH,
  shardsFor,
  simulateBurst,
} from './backlog.ts';
import { type Fill, simulateFill, type Traffic } from './fill.ts';
import { bytes, dollars, lasting, short, table, whole } from './in-words.ts';
import {
  BYTES_PER_SESSION,
  CPU_MS_PER_FLUSH,
  listPrice,
  PLAN_DOLLARS,
  planPrice,
  RECORDS_PER_SESSION,
  rowsWrittenPerRecord,
  SECONDS_PER_SESSION,
  total,
  usageOf,
  waitingPrice,
} from './price.ts';
import { ANSWER_MS, ASK_MS } from './simulated-outbox.ts';

// The account's limit: 500 calls of 25 records a minute are 208 records a second.
const CEILING = 208;
const RATES_PER_SECOND = [1, 100, CEILING, 1_000, 10_000, 100_000];
const BASE_PER_SECOND = 50;
const BURST_MINUTES = [1, 10, 60];
const FREE_PLAN_ROWS_A_DAY = 100_000;

/** The tables of docs/reference/scale.md, each by the name of its place there. */
export function scaleTables(): Readonly<Record<string, string>> {
  return {
    steady: steadyTable(),
    bursts: burstTable(),
    fill: fillTable(),
    linger: lingerTable(),
    waiting: waitingTable(),
    price: priceTable(),
    assumptions: assumptions(),
  };
}

function steadyTable(): string {
  return table(
    [
      'records/s',
      'flushes/s',
      'outboxes',
      `fits (of ${short(60 * DRAIN_PER_SECOND)} a minute)`,
      'backlog grows, a minute',
      'full after',
      'stored then, an outbox',
    ],
    RATES_PER_SECOND.map((rate) => {
      const shards = shardsFor(rate);
      const growth = Math.max(0, rate - DRAIN_PER_SECOND);
      const capacity = capacityOf(shards);
      const share = `${rate <= DRAIN_PER_SECOND ? 'yes' : 'no'}, ${whole((rate / DRAIN_PER_SECOND) * 100)} %`;
      const overflow =
        growth === 0
          ? ['0', 'never', '–']
          : [short(growth * 60), lasting(capacity / growth), bytes((capacity * BYTES_PER_RECORD) / shards)];
      return [whole(rate), short(rate / RECORDS_PER_FLUSH), whole(shards), share, ...overflow];
    }),
  );
}

function burstTable(): string {
  return table(
    ['records/s', ...BURST_MINUTES.map((minutes) => `${minutes} min: waits → gone after`)],
    RATES_PER_SECOND.map((rate) => [
      whole(rate),
      ...BURST_MINUTES.map((minutes) => burstCell(rate, minutes)),
    ]),
  );
}

function burstCell(rate: number, minutes: number): string {
  const { atEnd, drained } = simulateBurst({
    recordsPerSecond: rate,
    burstSeconds: minutes * 60,
    basePerSecond: BASE_PER_SECOND,
    capacity: capacityOf(shardsFor(rate)),
  });
  const seconds = drained.second - atEnd.second;
  const stored = bytes(atEnd.waiting * BYTES_PER_RECORD);
  const refused = atEnd.refused === 0 ? '' : ` + ${short(atEnd.refused)} refused`;
  const late = seconds * 1_000 > MAX_AGE_MS ? ' **(too late)**' : '';
  return `${short(atEnd.waiting)} (${stored})${refused} → ${lasting(seconds)}${late}`;
}

function fillTable(): string {
  const shards = [1, 4, 16];
  const cell = ({ recordsPerCall, callsPerMinute }: Fill) =>
    `${recordsPerCall.toFixed(1)} / ${whole(callsPerMinute)}`;
  const columns = [5, 1].flatMap((recordsPerFlush) =>
    shards.map((each) => ({ recordsPerFlush, shards: each })),
  );
  return table(
    ['records/s', ...columns.map((each) => `${outboxes(each.shards)}, flushes of ${each.recordsPerFlush}`)],
    [0.2, 1, 10, 50, 100, CEILING].map((recordsPerSecond) => [
      `${recordsPerSecond}`,
      ...columns.map((each) => cell(simulate({ recordsPerSecond, ...each }))),
    ]),
  );
}

function lingerTable(): string {
  const cell = ({ recordsPerCall, callsPerMinute, waitMs }: Fill) =>
    `${recordsPerCall.toFixed(1)} / ${whole(callsPerMinute)} / ${(waitMs / 1_000).toFixed(1)} s`;
  const rates = [1, 10, 50, 100];
  return table(
    ['outboxes', '`LINGER_MS`', ...rates.map((rate) => `${rate}/s`)],
    [
      [16, 1_000],
      [16, 2_000],
      [16, 5_000],
      [64, 1_000],
      [64, 8_000],
    ].map(([shards = 1, lingerMs = 0]) => [
      `${shards}`,
      whole(lingerMs),
      ...rates.map((recordsPerSecond) => cell(simulate({ recordsPerSecond, shards, lingerMs }))),
    ]),
  );
}

function waitingTable(): string {
  return table(
    [
      'outboxes',
      'the gate is asked, a second',
      'alarms set, a second',
      'records a call',
      '$ a day, for waiting',
    ],
    [1, 4, 16, MAX_SHARDS].map((shards) => {
      const fill = simulate({ recordsPerSecond: 2 * DRAIN_PER_SECOND, shards });
      return [
        `${shards}`,
        short(fill.permitRequestsPerMinute / 60),
        short(fill.alarmsSetPerMinute / 60),
        fill.recordsPerCall.toFixed(1),
        dollars(waitingPrice(fill) / 30),
      ];
    }),
  );
}

function priceTable(): string {
  const rows = [1, 10, ...RATES_PER_SECOND.slice(1)].map((rate) => {
    const shards = shardsFor(rate);
    const usage = usageOf(rate, shards, DEFAULTS.lingerMs);
    const list = listPrice(usage);
    return [
      whole(rate),
      `${shards}`,
      rowsWrittenPerRecord(usage, rate).toFixed(2),
      dollars(list.workerRequests + list.workerCpuMs),
      dollars(list.objectRequests),
      dollars(list.objectGbSeconds),
      dollars(list.rowsWritten),
      dollars(list.rowsRead),
      dollars(list.storedGb),
      dollars(total(list)),
      dollars(planPrice(usage)),
    ];
  });
  return table(
    [
      'records/s',
      'outboxes',
      'rows written a record',
      'Worker: requests, CPU',
      'objects: requests',
      'duration',
      'rows written',
      'rows read',
      'stored',
      '**$ a month, list**',
      `with the $${PLAN_DOLLARS} plan`,
    ],
    rows,
  );
}

function assumptions(): string {
  const freeRows = rowsWrittenPerRecord(usageOf(1, 1, DEFAULTS.lingerMs), 1);
  const range = ({ from, to }: { readonly from: number; readonly to: number }) => `${from} to ${to} ms`;
  return [
    `- ${RECORDS_PER_FLUSH} records a flush; ${BYTES_PER_RECORD} bytes a waiting record; one outbox is planned for ${FLUSHES_PER_SECOND_PER_OUTBOX} flushes a second.`,
    `- ${whole(DRAIN_PER_SECOND)} records a second leave: ${DEFAULTS.requestsPerMinute} calls a minute of 25, of which the relay's limit uses 96 %.`,
    `- WebEngage answers in ${range(ANSWER_MS)}, the gate in ${range(ASK_MS)}; events only, every browser another.`,
    `- ${CPU_MS_PER_FLUSH} ms of the Worker's CPU a flush; ${RECORDS_PER_SESSION} records and ${SECONDS_PER_SESSION} s a page load, remembered in ${BYTES_PER_SESSION} bytes; all objects active all the month.`,
    `- The free plan's ${whole(FREE_PLAN_ROWS_A_DAY)} rows written a day are ${short(FREE_PLAN_ROWS_A_DAY / freeRows)} records a day, ${(FREE_PLAN_ROWS_A_DAY / freeRows / 86_400).toFixed(1)} a second.`,
  ].join('\n');
}

function simulate(traffic: Partial<Traffic> & Pick<Traffic, 'recordsPerSecond' | 'shards'>): Fill {
  return simulateFill({ recordsPerFlush: RECORDS_PER_FLUSH, lingerMs: DEFAULTS.lingerMs, ...traffic });
}

function outboxes(shards: number): string {
  return shards === 1 ? '1 outbox' : `${shards} outboxes`;
}
