import { onCall } from './calls.js';
import { fillTray, travel } from './dots.js';
import { element, find, setText } from './element.js';
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
  return `Newest: ${newest?.eventName ?? 'identify'}. Leaves within 5 s, or as 25`;
}

function showTokens(tokens) {
  const pips = find('.pips').children;
  for (const [index, pip] of [...pips].entries())
    pip.style.setProperty('--full', String(Math.min(1, Math.max(0, tokens - index))));
  setText(find('.tokens-left'), `${Math.floor(tokens)} of ${pips.length} tokens, one more each second`);
}

export function showRelay({ records, oldestAgeMs, retrying }, { sent, answered }) {
  showFigure(relay, records);
  fillTray(find('.tray', relay), records);
  relay.classList.toggle('held', retrying > 0);
  const oldest = records > 0 ? `, oldest ${Math.round(oldestAgeMs / 1000)} s` : '';
  const again = retrying > 0 ? `, ${batches(retrying)} being retried` : '';
  setText(find('.latest', relay), `${batches(sent)} sent, ${answered} answered${oldest}${again}`);
}

export function relayUnseen() {
  setText(find('.latest', relay), 'The relay does not answer');
}

function batches(count) {
  return count === 1 ? '1 batch' : `${count} batches`;
}

let hadArrived;

export function showWebengage({ users, events, calls }) {
  const records = users.length + events.length;
  // At the first look nothing moves: those arrived before.
  if (hadArrived !== undefined && records > hadArrived) travel(relay, records - hadArrived);
  hadArrived = records;

  showFigure(webengage, records);
  const taken = calls.filter(({ status }) => status >= 200 && status < 300).length;
  const each = taken === 0 ? '' : `, ${(records / taken).toFixed(1)} records each`;
  const refused = calls.length - taken;
  setText(
    find('.latest', webengage),
    records + refused === 0
      ? 'Nothing has arrived yet'
      : `${events.length} events, ${users.length} users in ${taken} calls${each}${refused ? `, ${refused} more failed` : ''}`,
  );
}

export function webengageUnseen() {
  setText(find('.latest', webengage), 'The sandbox does not answer');
}

function showFigure(where, count) {
  setText(find('.figure b', where), String(count));
}
