import { find, prose, setText } from './element.js';
import { showFigures } from './figures.js';
import { clock } from './in-words.js';
import { lastHour } from './last-hour.js';
import { deadLetters } from './letters.js';
import { live } from './live.js';
import { showOffPlan } from './off-plan.js';
import { showPlots, showTable } from './plots.js';
import { relayBehind } from './relay.js';
import { showState } from './show-state.js';
import { stateOf } from './state.js';
import { showTables } from './tables.js';
import { forgetToken, keepToken, keptToken } from './token.js';

/** @import { Relay, Status } from './relay.js' */

const NO_DOOR =
  'The relay answers 404: this token is wrong, or ADMIN_TOKEN is not set at the relay (or shorter than 32 characters). To set it: `npx wrangler secret put ADMIN_TOKEN`.';

// What a header can carry: `fetch` throws for the rest, as if the network were gone.
const SENDABLE = /^[\x20-\x7e]+$/;

const entrance = find('entrance', HTMLElement);
const figures = find('figures', HTMLElement);
const field = find('token', HTMLInputElement);
const refused = find('refused', HTMLElement);
const freshness = find('freshness', HTMLElement);

/** @type {{ readonly relay: Relay, readonly turns: ReturnType<typeof live> } | undefined} */
let session;
/** @type {Status | undefined} */
let last;

const letters = deadLetters({
  relay: () => {
    if (session === undefined) throw new Error('dead letters are shown only to who holds the token');
    return session.relay;
  },
  noDoor: () => leave(NO_DOOR),
  changed: () => session?.turns.soon(),
});

find('enter', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const token = field.value.trim();
  if (!SENDABLE.test(token)) return setText(refused, 'A token is letters, digits and signs, and not empty.');
  keepToken(token);
  enter(token);
});
find('forget', HTMLButtonElement).addEventListener('click', () => leave(''));
find('minutes', HTMLDetailsElement).addEventListener('toggle', () => {
  if (last !== undefined) showTable(lastHour(last.minutes, last.at));
});

const kept = keptToken();
if (kept === null) leave('');
else enter(kept);

/** @param {string} token */
function enter(token) {
  session?.turns.stop();
  const relay = relayBehind(token);
  setText(refused, 'Asking the relay …');
  session = { relay, turns: live(() => look(relay)) };
}

/** @param {Relay} relay */
async function look(relay) {
  const outcome = await relay.status();
  // The token was forgotten, or another one put in, while this was asked.
  if (session?.relay !== relay) return;
  if (outcome.kind === 'no_door') leave(NO_DOOR);
  else if (outcome.kind === 'ok') show(outcome.body);
  else outOfReach(outcome.why);
}

/** @param {Status} status */
function show(status) {
  last = status;
  const hour = lastHour(status.minutes, status.at);
  opened(true);
  figures.classList.remove('stale');
  freshness.classList.remove('lost');
  freshness.classList.add('fresh');
  setText(freshness, `live, ${clock(status.at, status.at)}`);
  setText(find('version', HTMLElement), status.version);
  showState(stateOf(status));
  showFigures(status, hour);
  showPlots(hour, status.gate.requestsPerMinute);
  showTables(status);
  showOffPlan(status);
  letters.show(status.deadLetters, status.at);
}

/** @param {string} why */
function outOfReach(why) {
  if (last === undefined) return setText(refused, `${why} It is asked again by itself.`);
  figures.classList.add('stale');
  freshness.classList.replace('fresh', 'lost');
  setText(freshness, 'not live');
  showState({
    mood: 'lost',
    name: 'Out of reach',
    line: `${why} The figures below are those of ${clock(last.at, Date.now())}.`,
    advice: 'It is asked again by itself. What the relay has accepted is on disk.',
    also: [],
  });
}

/**
 * Back to the entrance. No token is left in the tab, and no record on the page.
 *
 * @param {string} why
 */
function leave(why) {
  session?.turns.stop();
  session = undefined;
  last = undefined;
  forgetToken();
  field.value = '';
  letters.clear();
  document.title = 'Operator’s page · relay';
  refused.replaceChildren(...prose(why));
  opened(false);
  field.focus();
}

/** @param {boolean} open */
function opened(open) {
  entrance.hidden = open;
  figures.hidden = !open;
  find('forget', HTMLButtonElement).hidden = !open;
  freshness.hidden = !open;
  // Held no longer than it takes to try it: it is in the tab's storage now.
  if (open) field.value = '';
}
