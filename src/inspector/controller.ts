import { type Inspected, inspectTracker, type TrackerInspection } from '../tracker/inspect.ts';
import { EMPTY_JOURNAL, hear } from './journal.ts';
import { flushMessage, nameOfRecord } from './messages.ts';
import { createPoll } from './poll.ts';
import { readSettings } from './settings.ts';
import {
  type InspectedTracker,
  lookAtTracker,
  optionsOfPage,
  queuedFor,
  subscribe,
  trackerOfPage,
} from './subscribe.ts';
import { styleSheet } from './view/styles.ts';
import { createView, type View } from './view/view.ts';
import { type Seen, toViewModel } from './view-model.ts';

/** What goes on in one inspector element while it is in a page. */
export type Controller = {
  /** The tracker that the page has given it, if it has. */
  tracker: InspectedTracker | undefined;
  /** Listens, and looks again and again while it is open and the page is visible. */
  readonly start: () => void;
  /** Ends both, and lets go of everything. What was heard stays. */
  readonly stop: () => void;
  readonly open: (isOpen: boolean) => void;
};

const EVERY_MS = 500;

// Names of records that may yet be told of. A page that makes many must not fill its memory with them.
const MAX_NAMES = 1_000;

/** Controls an inspector that is shown within its element. It looks and listens, and changes nothing. */
export function createController(host: HTMLElement, ownOrigin?: string): Controller {
  let given: InspectedTracker | undefined;
  let isAttached = false;
  let hasFailed = false;
  let journal = EMPTY_JOURNAL;
  const names = new Map<string, string>();
  const database = inspectedDatabase();
  const current = () => given ?? trackerOfPage();

  const view = createView({
    flush: () => flushTracker(current()),
    clear: () => {
      // What can't be listed still can't.
      journal = { ...EMPTY_JOURNAL, degraded: journal.degraded };
      view.showBrief(journal);
      poll.wake();
    },
  });
  const subscription = createSubscription((told) => {
    journal = hear(journal, { told, at: Date.now() }, (id) => names.get(id));
    view.showBrief(journal);
  });
  const poll = createPoll(async () => {
    try {
      await turn();
    } catch (error) {
      // A page that has changed its built-ins can break any line; the next turn may go well.
      if (!hasFailed) console.warn('relay-inspector', error);
      hasFailed = true;
    }
  }, EVERY_MS);
  attach(host, view, poll.wake);
  view.showBrief(journal);

  async function turn(): Promise<void> {
    // It may come, or another in its place, at any moment.
    const tracker = current();
    subscription.follow(tracker);
    if (!view.box.open || document.hidden) return database.close();
    const seen = await look(tracker);
    if (seen.buffer.kind === 'there') {
      if (names.size > MAX_NAMES) names.clear();
      for (const record of seen.buffer.records) names.set(record.id, nameOfRecord(record));
    }
    view.show(toViewModel(seen, journal));
  }

  async function look(tracker: InspectedTracker | undefined): Promise<Seen> {
    let settings: Seen['settings'];
    try {
      settings = readSettings({
        inspector: host,
        scripts: document.scripts,
        options: optionsOfPage(),
        ownOrigin,
      });
    } catch (error) {
      settings = String(error);
    }
    const endpoint = typeof settings === 'object' ? settings.endpoint : undefined;
    const [trackerSeen, inspected] = await Promise.all([lookAtTracker(tracker), database.look(endpoint)]);
    return { ...inspected, tracker: trackerSeen, settings };
  }

  return {
    get tracker() {
      return given;
    },
    set tracker(tracker) {
      given = tracker;
      if (isAttached) subscription.follow(current());
      poll.wake();
    },
    start: () => {
      isAttached = true;
      poll.start();
    },
    stop: () => {
      isAttached = false;
      poll.stop();
      database.close();
      subscription.follow(undefined);
    },
    open: (isOpen) => {
      view.box.open = isOpen;
    },
  };
}

/** Puts a view into its element, whose `open` says from now on whether it is open. */
function attach(host: HTMLElement, { box }: View, wake: () => void): void {
  box.addEventListener('toggle', () => {
    host.toggleAttribute('open', box.open);
    wake();
  });
  const root = host.attachShadow({ mode: 'open' });
  root.append(box);
  try {
    root.adoptedStyleSheets = [styleSheet()];
  } catch {
    // An older browser has none of these: it is plain there, and all of it works.
  }
}

/** Listens to one tracker at a time. */
function createSubscription(hear: Parameters<typeof subscribe>[1]) {
  let followed: { readonly tracker: InspectedTracker; readonly end: () => void } | undefined;
  return {
    follow: (tracker: InspectedTracker | undefined) => {
      if (tracker === followed?.tracker) return;
      followed?.end();
      followed = tracker && { tracker, end: subscribe(tracker, hear) };
    },
  };
}

const NOTHING: Inspected = { buffer: { kind: 'missing' }, optedOut: false };

/** The database of the endpoint that was last looked at. */
function inspectedDatabase() {
  let current: { readonly endpoint: string; readonly inspection: TrackerInspection } | undefined;
  const close = () => current?.inspection.close();
  return {
    close,
    look: async (endpoint: string | undefined): Promise<Inspected> => {
      if (endpoint === undefined) return NOTHING;
      if (current?.endpoint !== endpoint) {
        close();
        current = { endpoint, inspection: inspectTracker(endpoint) };
      }
      return current.inspection.look();
    },
  };
}

async function flushTracker(tracker: InspectedTracker | undefined): Promise<string> {
  if (tracker === undefined) return 'There is no tracker here.';
  if (queuedFor(tracker)) return 'The tracker’s script has not loaded.';
  try {
    return flushMessage(await tracker.flush());
  } catch (error) {
    return String(error);
  }
}
