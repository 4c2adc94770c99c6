import { element } from './element.js';
import { openable } from './growing-list.js';

const visitorOf = ({ userId, anonymousId }) => userId ?? `anonymous ${String(anonymousId).slice(0, 8)}`;
const small = (text) => element('span', { className: 'small' }, text);
const clock = (at) => new Date(at).toLocaleTimeString('en-GB');

export function eventLine(event) {
  // As it was sent, in the visitor's own zone.
  const time = event.eventTime?.slice(11, 19) ?? '';
  return openable(event, element('b', {}, event.eventName), small(visitorOf(event)), small(time));
}

export function userLine(user) {
  const name = [user.firstName, user.lastName].filter(Boolean).join(' ');
  return openable(user, element('b', {}, visitorOf(user)), small(name));
}

export function droppedLine({ record, issues }) {
  const why = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  return openable(record, element('b', {}, record.eventName ?? visitorOf(record)), small(why));
}

/** A call; status 0 is one that has not been answered yet. */
export function callLine({ at, path, status, requestId, records }) {
  const kind = status === 0 ? 'open' : status < 300 ? 'taken' : 'failed';
  return element(
    'li',
    { className: 'call', title: `x-request-id ${requestId}` },
    element('b', { className: kind }, status === 0 ? '…' : String(status)),
    element('span', {}, `${path}, ${records === 1 ? '1 record' : `${records} records`}`),
    element('code', { className: 'small' }, requestId.slice(0, 8)),
    small(clock(at)),
  );
}
