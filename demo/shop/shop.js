import { createPoll } from '../../dist/modules/ui/poll.js';
import { on, onCall, stats, track } from './calls.js';
import { startCart } from './cart.js';
import { callsFound, callsMade, callsOpen, isOurs } from './live/ledger.js';
import {
  recordsDelivered,
  relayUnseen,
  showBuffer,
  showCalls,
  showRelay,
  showWebengage,
  startPath,
  webengageUnseen,
} from './live/path.js';
import { stillness } from './live/stillness.js';
import { judge, tally } from './live/tally.js';
import { startToLive } from './live/to-live.js';
import { showVerdict } from './live/verdict.js';
import { startShelf } from './shelf.js';
import { showFault, startSwitches } from './switches.js';
import { startVisitor } from './visitor.js';
import { webengage } from './webengage.js';

const { sandboxUrl } = document.documentElement.dataset;
const { wire } = globalThis;
const sandbox = webengage(sandboxUrl);

// What was last seen of each stage; undefined where the last look failed.
const seen = { buffer: undefined, relay: undefined, webengage: undefined };
const stillForMs = stillness();
let arrived = new Set();
let doubled = 0;
let keptUntil = 0;

startPath();
startSwitches(wire, (fault) => sandbox.order(fault).then(() => showFault(fault), webengageUnseen));
startShelf();
startCart();
startVisitor();
startToLive();
on('delivered', ({ ids }) => {
  keptUntil = 0;
  recordsDelivered(ids.length);
});
on('retrying', ({ inMs }) => {
  keptUntil = Date.now() + inMs;
});
onCall(showState);
void track('Page Viewed', { Page: 'Shop', Title: document.title });

every(200, lookAtBuffer, () => unseen('buffer', () => {}));
every(500, lookAtRelay, () => unseen('relay', relayUnseen));
every(700, lookAtWebengage, () => unseen('webengage', webengageUnseen));

function every(pauseMs, look, failed) {
  createPoll(
    () => look().catch(failed),
    () => pauseMs,
  ).start();
}

async function lookAtBuffer() {
  const { buffered } = await stats();
  seen.buffer = { waiting: buffered };
  showBuffer(seen.buffer, keptUntil, Date.now());
  showState();
}

async function lookAtRelay() {
  const response = await fetch('/relay-status');
  const { backlog } = await response.json();
  seen.relay = backlog;
  showRelay(backlog, wire.counts);
}

async function lookAtWebengage() {
  const received = await sandbox.look();
  callsFound(tally(received, isOurs).arrived.size);
  ({ arrived, doubled } = tally(received, isOurs));
  seen.webengage = received;
  showWebengage(received);
  showFault(received.fault);
}

function unseen(stage, show) {
  seen[stage] = undefined;
  show();
}

function showState() {
  const made = callsMade(arrived);
  const still = stillForMs({ callsOpen: callsOpen(), ...seen }, Date.now());
  showCalls(made);
  showVerdict({
    ...judge({ made, arrived: arrived.size, doubled, stillForMs: still }),
    farEndSeen: seen.webengage !== undefined,
  });
}
