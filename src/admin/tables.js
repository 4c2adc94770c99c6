import { element, find } from './element.js';
import { bytes, count, duration } from './in-words.js';
import { callLedger, deadLetterLedger, doorLedger, recordLedger } from './ledger.js';

/** @import { Row } from './ledger.js' */
/** @import { Shard, Status } from './relay.js' */

/** @param {Status} status */
export function showTables(status) {
  showLedger('record-ledger', recordLedger(status));
  showLedger('door-ledger', doorLedger(status));
  showLedger('letter-ledger', deadLetterLedger(status));
  showLedger('call-ledger', callLedger(status));
  showShards(status.shards);
}

/**
 * @param {string} id
 * @param {readonly Row[]} rows
 */
function showLedger(id, rows) {
  find(id, HTMLTableSectionElement).replaceChildren(
    ...rows.map(({ name, amount, means, sum }) =>
      element(
        'tr',
        { className: sum ? 'sum' : amount === 0 ? 'none' : '' },
        element('th', { scope: 'row' }, name, element('span', { className: 'small' }, means)),
        element('td', {}, count(amount)),
      ),
    ),
  );
}

/** @param {readonly Shard[]} shards */
function showShards(shards) {
  // The one shard of most relays is the backlog above.
  find('shards', HTMLElement).hidden = shards.length < 2;
  find('shard-rows', HTMLTableSectionElement).replaceChildren(...shards.map(shardRow));
}

/** @param {Shard} shard */
function shardRow({ name, records, oldestAgeMs, deadLetters, databaseBytes, unreachable }) {
  const figures = [
    count(records),
    records === 0 ? '–' : duration(oldestAgeMs),
    count(deadLetters),
    bytes(databaseBytes),
  ];
  return element(
    'tr',
    { className: unreachable ? 'silent' : '' },
    element('th', { scope: 'row' }, name),
    ...(unreachable
      ? [element('td', { colSpan: figures.length }, 'does not answer')]
      : figures.map((figure) => element('td', {}, figure))),
  );
}
