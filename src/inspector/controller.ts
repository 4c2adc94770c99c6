import { type Inspected, inspectTracker, type TrackerInspection } from '../tracker/inspect.ts';
import { createPoll } from '../ui/poll.ts';
import { addEvent, EMPTY_JOURNAL } from './journal.ts';
import { flushMessage, nameOfRecord } from './messages.ts';
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

/** Runs one inspector element while it is in a page. */
export type Controller = {
  /** The tracker that the page has set as a property, if any. */
  tracker: InspectedTracker | undefined;
  /** Starts listening, and looks repeatedly while the element is open and the page visible. */
  readonly start: () => void;
  /** Stops both, and releases everything but the journal. */
  readonly stop: () => void;
  readonly open: (isOpen: boolean) => void;
};

const EVERY_MS = 500;

/** Controls an inspector that is shown within its element. It looks and listens, and changes nothing. */
export function createController(host: HTMLElement, ownOrigin?: string): Controller {
  let given: InspectedTracker | undefined;
  let hasFailed = false;
  let journal = EMPTY_JOURNAL;
  const names = rememberNames();
  const database = inspectedDatabase();
  const current = () => given ?? trackerOfPage();

  const view = createView({
    flush: () => flushTracker(current()),
    clear: () => {
      // A broken database stays broken.
      journal = { ...EMPTY_JOURNAL, degraded: journal.degraded };
      view.showBrief(journal);
      poll.wake();
    },
  });
  const subscription = createSubscription((event) => {
    journal = addEvent(journal, { event, at: Date.now() }, names.nameOf);
    view.showBrief(journal);
  });
  const poll = createPoll(
    async () => {
      try {
        await turn();
      } catch (error) {
        // A page that has changed its built-ins can break any line. The next look may succeed.
        if (!hasFailed) console.warn('relay-inspector', error);
        hasFailed = true;
      }
    },
    () => EVERY_MS,
  );
  attach(host, view, poll.wake);
  view.showBrief(journal);

  async function turn(): Promise<void> {
    // It, or another one, may appear at any moment.
    const tracker = current();
    subscription.follow(tracker);
    if (!view.box.open || document.hidden) return database.close();
    const settings = trySettings(host, ownOrigin);
    const endpoint = typeof settings === 'object' ? settings.endpoint : undefined;
    const [trackerSeen, inspected] = await Promise.all([lookAtTracker(tracker), database.look(endpoint)]);
    names.learn(inspected);
    const seen = { ...inspected, tracker: trackerSeen, settings };
    view.show(toViewModel(seen, journal));
  }

  return {
    get tracker() {
      return given;
    },
    set tracker(tracker) {
      given = tracker;
      poll.wake();
    },
    start: poll.start,
    stop: () => {
      poll.stop();
      database.close();
      subscription.follow(undefined);
    },
    open: (isOpen) => {
      view.box.open = isOpen;
    },
  };
}

/** The settings of the tracker, or a message that says why they are invalid. */
function trySettings(inspector: HTMLElement, ownOrigin?: string): Seen['settings'] {
  try {
    const { scripts } = document;
    return readSettings({ inspector, scripts, options: optionsOfPage(), ownOrigin });
  } catch (error) {
    return String(error);
  }
}

/** Puts a view into its element. From now on the element's `open` tells whether it is open. */
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
    // Older browsers lack constructed stylesheets. The inspector works there without styles.
  }
}

// A page that makes many records must not fill its memory with their names.
const MAX_NAMES = 1_000;

/** Remembers the names of records, for later events that have only ids. */
function rememberNames() {
  const names = new Map<string, string>();
  return {
    nameOf: (id: string) => names.get(id),
    learn: ({ buffer }: Inspected) => {
      if (buffer.kind !== 'there') return;
      if (names.size > MAX_NAMES) names.clear();
      for (const record of buffer.records) names.set(record.id, nameOfRecord(record));
    },
  };
}

/** Listens to one tracker at a time. */
function createSubscription(onEvent: Parameters<typeof subscribe>[1]) {
  let followed: { readonly tracker: InspectedTracker; readonly end: () => void } | undefined;
  return {
    follow: (tracker: InspectedTracker | undefined) => {
      if (tracker === followed?.tracker) return;
      followed?.end();
      followed = tracker && { tracker, end: subscribe(tracker, onEvent) };
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
