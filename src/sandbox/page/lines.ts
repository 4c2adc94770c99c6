import { element, keyedList } from '../../ui/dom.ts';
import { formatTime } from '../../ui/format-time.ts';
import type { Call, Dropped, SentRecord } from './client.ts';

// Older ones are in `GET /records`; a page of thousands of them would help nobody.
const SHOWN = 100;

/** Shows the last of these items in a list, the newest first. What the reader has opened stays open. */
export function newestFirst<Item>(
  list: Element,
  lineOf: (item: Item) => Element,
): (items: readonly Item[]) => void {
  const show = keyedList<{ readonly key: string; readonly item: Item }>(list, ({ item }) => ({
    node: lineOf(item),
    update: () => {},
  }));
  return (items) => {
    const first = Math.max(0, items.length - SHOWN);
    const shown = items.slice(first);
    // By place and content: after the sandbox was emptied, another record may be in the same place.
    show(shown.map((item, index) => ({ key: `${first + index} ${JSON.stringify(item)}`, item })).reverse());
  };
}

export function eventLine(event: SentRecord): Element {
  // As it was sent, in the visitor's own zone.
  const time = event.eventTime?.slice(11, 19) ?? '';
  return openable(event, element('b', {}, String(event.eventName)), small(visitorOf(event)), small(time));
}

export function userLine(user: SentRecord): Element {
  const name = [user.firstName, user.lastName].filter(Boolean).join(' ');
  return openable(user, element('b', {}, visitorOf(user)), small(name));
}

export function droppedLine({ record, issues }: Dropped): Element {
  const why = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  return openable(record, element('b', {}, record.eventName ?? visitorOf(record)), small(why));
}

export function callLine({ at, path, status, requestId, records }: Call): Element {
  const kind = status === 0 ? 'open' : status < 300 ? 'taken' : 'failed';
  return element(
    'li',
    { class: 'call', title: `x-request-id ${requestId}` },
    element('b', { class: kind }, status === 0 ? '…' : String(status)),
    element('span', {}, `${path}, ${records === 1 ? '1 record' : `${records} records`}`),
    element('code', { class: 'small' }, requestId.slice(0, 8)),
    small(formatTime(at)),
  );
}

/** A line that opens to the record as it came. */
function openable(record: SentRecord, ...summary: readonly Node[]): Element {
  return element(
    'li',
    {},
    element(
      'details',
      {},
      element('summary', {}, ...summary),
      element('pre', {}, JSON.stringify(record, null, 2)),
    ),
  );
}

function visitorOf({ userId, anonymousId }: SentRecord): string {
  return userId ?? `anonymous ${String(anonymousId).slice(0, 8)}`;
}

function small(text: string): Element {
  return element('span', { class: 'small' }, text);
}
