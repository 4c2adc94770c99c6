import { empty, look, order } from './account.js';
import { find, setText } from './element.js';
import { every } from './every.js';
import { showControl, startFaults } from './faults.js';
import { growingList } from './growing-list.js';
import { callLine, droppedLine, eventLine, userLine } from './lines.js';
import { drawPlot } from './plot.js';

const WINDOW_MS = 60_000;
const ALLOWED = 500;
const CALLS_SHOWN = 60;

const showEvents = growingList(find('#events'), eventLine);
const showUsers = growingList(find('#users'), userLine);
const showDropped = growingList(find('#dropped'), droppedLine);
const connection = find('.connection');

startFaults(async (change) => {
  await order(change);
  await show();
});
find('#empty').addEventListener('click', () => empty().then(show).catch(unreachable));
void every(700, show, unreachable);

async function show() {
  const received = await look();
  setText(connection, '');
  showEvents(received.events);
  showUsers(received.users);
  showDropped(received.dropped);
  showCalls(received.calls);
  showFigures(received, Date.now());
  drawPlot(received.calls, Date.now());
  showControl(received.control);
}

function unreachable() {
  setText(connection, 'The sandbox does not answer.');
}

// Anew each time: the status of a call changes when it is answered.
function showCalls(calls) {
  find('#calls').replaceChildren(...calls.slice(-CALLS_SHOWN).map(callLine).reverse());
}

function showFigures({ events, users, calls }, now) {
  const lastMinute = calls.filter(({ at }) => at > now - WINDOW_MS).length;
  const taken = calls.filter(({ status }) => status >= 200 && status < 300).length;
  setText(find('#event-count'), String(events.length));
  setText(find('#user-count'), String(users.length));
  setText(find('#call-count'), String(calls.length));
  setText(find('#per-call'), taken === 0 ? '–' : ((events.length + users.length) / taken).toFixed(1));
  setText(find('#calls-minute'), String(lastMinute));
  find('.meter i').style.transform = `scaleX(${Math.min(1, lastMinute / ALLOWED)})`;
}
