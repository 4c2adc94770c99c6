import { empty, look, order } from './account.js';
import { find, setText } from './element.js';
import { every } from './every.js';
import { showFaults, startFaults } from './faults.js';
import { growingList } from './growing-list.js';
import { callLine, droppedLine, eventLine, userLine } from './lines.js';
import { drawPlot } from './plot.js';
import { showSwitches, startSwitches } from './switches.js';

const WINDOW_MS = 60_000;
const ALLOWED = 500;
const CALLS_SHOWN = 60;

const showEvents = growingList(find('#events'), eventLine);
const showUsers = growingList(find('#users'), userLine);
const showDropped = growingList(find('#dropped'), droppedLine);
const connection = find('.connection');

// While orders are under way, and in an answer from before one, the sandbox is not yet as the fields are.
let underWay = 0;
let ordered = 0;

startFaults(orderAndShow);
startSwitches(orderAndShow);
find('#empty').addEventListener('click', () => empty().then(show).catch(unreachable));
void every(700, show, unreachable);

async function orderAndShow(change) {
  underWay += 1;
  try {
    await order(change);
  } finally {
    underWay -= 1;
    ordered += 1;
  }
  await show();
}

async function show() {
  const orderedBefore = ordered;
  const received = await look();
  setText(connection, '');
  showEvents(received.events);
  showUsers(received.users);
  showDropped(received.dropped);
  showCalls(received.calls);
  const allowed = received.control.requestsPerMinute ?? ALLOWED;
  showFigures(received, allowed, Date.now());
  drawPlot(received.calls, allowed, Date.now());
  if (underWay > 0 || ordered > orderedBefore) return;
  showFaults(received.control);
  showSwitches(received.control);
}

function unreachable() {
  setText(connection, 'The sandbox does not answer.');
}

// Anew each time: the status of a call changes when it is answered.
function showCalls(calls) {
  find('#calls').replaceChildren(...calls.slice(-CALLS_SHOWN).map(callLine).reverse());
}

function showFigures({ events, users, calls }, allowed, now) {
  const lastMinute = calls.filter(({ at }) => at > now - WINDOW_MS).length;
  const taken = calls.filter(({ status }) => status >= 200 && status < 300).length;
  setText(find('#event-count'), String(events.length));
  setText(find('#user-count'), String(users.length));
  setText(find('#call-count'), String(calls.length));
  setText(find('#per-call'), taken === 0 ? '–' : ((events.length + users.length) / taken).toFixed(1));
  setText(find('#calls-minute'), String(lastMinute));
  for (const place of document.querySelectorAll('.allowed')) setText(place, String(allowed));
  find('.meter i').style.transform = `scaleX(${Math.min(1, lastMinute / Math.max(1, allowed))})`;
}
