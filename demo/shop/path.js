import { element, find, setText } from '../sandbox/public/element.js';
import { onCall } from './calls.js';
import { fillTray, travel } from './dots.js';
import { TOKENS, tokensLeft, waitInWords } from './pace.js';

const station = (name) => find(`[data-station="${name}"]`);
const page = station('page');
const buffer = station('buffer');
const relay = station('relay');
const webengage = station('webengage');

/** Draws the path of a record as records move along it. */
export function startPath() {
  const pips = Array.from({ length: TOKENS.capacity }, () => element('i'));
  find('.pips').append(...pips);
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

export function showBuffer({ waiting, newest, pace }, now) {
  showFigure(buffer, waiting);
  fillTray(find('.tray', buffer), waiting);
  const wait = waitInWords(pace, now);
  buffer.classList.toggle('held', wait !== undefined);
  setText(find('.latest', buffer), wait ?? inBuffer(waiting, newest));
  showTokens(tokensLeft(pace, now));
}

function inBuffer(waiting, newest) {
  if (waiting === 0) return 'Kept on disk until the relay has answered';
  return `Newest: ${newest?.eventName ?? 'identify'}. Waits for 25 or 5 s, and a token`;
}

function showTokens(tokens) {
  const pips = find('.pips').children;
  for (const [index, pip] of [...pips].entries())
    pip.style.setProperty('--full', String(Math.min(1, Math.max(0, tokens - index))));
  setText(find('.tokens-left'), `${Math.floor(tokens)} of ${pips.length} tokens, +1 a second`);
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
