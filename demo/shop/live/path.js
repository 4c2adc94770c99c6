import { find, setText } from '../../../dist/modules/ui/dom.js';
import { onCall } from '../calls.js';
import { fillTray, travel } from './dots.js';

const station = (name) => find(`[data-station="${name}"]`);
const page = station('page');
const buffer = station('buffer');
const relay = station('relay');
const webengage = station('webengage');

/** Draws the path of a record as records move along it. */
export function startPath() {
  onCall((what) => {
    setText(find('.latest', page), `Latest: ${what}`);
    travel(page, 1);
  });
}

export function recordsDelivered(count) {
  travel(buffer, count);
}

export function showCalls(made) {
  showFigure(page, made);
}

/** @param keptUntil when the tracker tries again what could not be sent */
export function showBuffer({ waiting }, keptUntil, now) {
  showFigure(buffer, waiting);
  fillTray(find('.tray', buffer), waiting);
  const isHeld = waiting > 0 && keptUntil > now;
  buffer.classList.toggle('held', isHeld);
  setText(find('.latest', buffer), isHeld ? keptFor(keptUntil - now) : inBuffer(waiting));
}

function keptFor(ms) {
  return `Could not be sent, and is kept: next try in ${Math.ceil(ms / 1000)} s`;
}

function inBuffer(waiting) {
  return waiting === 0 ? 'Kept on disk until the relay has answered' : 'Sent once there are 25, or after 5 s';
}

export function showRelay({ records, oldestAgeMs, retrying }, { sent, answered }) {
  showFigure(relay, records);
  fillTray(find('.tray', relay), records);
  relay.classList.toggle('held', retrying > 0);
  const oldest = records > 0 ? `, oldest ${Math.round(oldestAgeMs / 1000)} s` : '';
  const again = retrying > 0 ? `, ${retrying} retrying` : '';
  setText(find('.latest', relay), `${answered} of ${some(sent, 'batch')} answered${oldest}${again}`);
}

export function relayUnseen() {
  setText(find('.latest', relay), 'The relay does not answer');
}

function some(count, what) {
  return `${count} ${what}${count === 1 ? '' : what.endsWith('ch') ? 'es' : 's'}`;
}

let hadArrived;

export function showWebengage({ users, events, calls }) {
  const records = users.length + events.length;
  // At the first look nothing moves: those arrived before.
  if (hadArrived !== undefined && records > hadArrived) travel(relay, records - hadArrived);
  hadArrived = records;

  showFigure(webengage, records);
  if (calls.length > 0) setText(find('.latest', webengage), inWebengage(users, events, calls));
  else setText(find('.latest', webengage), 'Nothing has arrived yet');
}

function inWebengage(users, events, calls) {
  const taken = calls.filter(({ status }) => status >= 200 && status < 300).length;
  const each = taken === 0 ? '' : `, ${((users.length + events.length) / taken).toFixed(1)} records each`;
  const failed = taken === calls.length ? '' : `; ${some(calls.length - taken, 'call')} failed`;
  const received = `${some(events.length, 'event')}, ${some(users.length, 'user')}`;
  return `${received} in ${some(taken, 'call')}${each}${failed}`;
}

export function webengageUnseen() {
  setText(find('.latest', webengage), 'The sandbox does not answer');
}

function showFigure(where, count) {
  setText(find('.figure b', where), String(count));
}
