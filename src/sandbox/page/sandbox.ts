import { find, setText } from '../../ui/dom.ts';
import { createPoll } from '../../ui/poll.ts';
import { type Change, empty, look, order, type Received } from './client.ts';
import { showFaults, startFaults } from './faults.ts';
import { callLine, droppedLine, eventLine, newestFirst, userLine } from './lines.ts';
import { drawPlot } from './plot.ts';
import { showSwitches, startSwitches } from './switches.ts';

const WINDOW_MS = 60_000;
const ALLOWED = 500;
const EVERY_MS = 700;

const showEvents = newestFirst(find('#events'), eventLine);
const showUsers = newestFirst(find('#users'), userLine);
const showDropped = newestFirst(find('#dropped'), droppedLine);
const showCalls = newestFirst(find('#calls'), callLine);
const connection = find('.connection');

// While orders are under way, and in an answer from before one, the sandbox is not yet as the fields are.
let underWay = 0;
let ordered = 0;

startFaults(orderAndShow);
startSwitches(orderAndShow);
find('#empty').addEventListener('click', () => empty().then(show).catch(unreachable));
createPoll(
  () => show().catch(unreachable),
  () => EVERY_MS,
).start();

async function orderAndShow(change: Change): Promise<void> {
  underWay += 1;
  try {
    await order(change);
  } finally {
    underWay -= 1;
    ordered += 1;
  }
  await show();
}

async function show(): Promise<void> {
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

function unreachable(): void {
  setText(connection, 'The sandbox does not answer.');
}

function showFigures({ events, users, calls }: Received, allowed: number, now: number): void {
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
