import { visitorsChoice } from '../tracker/consent/choice.ts';
import { nameOf } from '../tracker/options.ts';
import { localPageStorage } from '../tracker/platform/local-storage.ts';
import { attempt } from '../tracker/platform/try-or-undefined.ts';
import { BLANK, hear } from './journal.ts';
import { type InspectedTracker, listenTo, lookAtTracker, queuedFor, trackerOfPage } from './listening.ts';
import { lookSheet } from './look.ts';
import { type Peek, peekInto } from './peek.ts';
import { nameOfRecord, pictureOf, type Seen } from './picture.ts';
import { knownOf } from './settings.ts';
import { createView } from './view.ts';
import { flushInWords } from './words.ts';

/** What goes on in one inspector element while it is in a page. */
export type Inspection = {
  /** The tracker that the page has given it, if it has. */
  tracker: InspectedTracker | undefined;
  /** Listens, and looks again and again, as long as it is open and somebody can see it. */
  readonly start: () => void;
  /** Ends both, and lets go of all there is. What was heard stays. */
  readonly stop: () => void;
  readonly open: (isOpen: boolean) => void;
};

const EVERY_MS = 500;

// Names of records that may yet be told of. A page that makes many must not fill its memory with them.
const MAX_NAMES = 1_000;

/** An inspection that is shown within its element. It looks and listens, and changes nothing. */
export function inspection(host: HTMLElement, ownOrigin?: string): Inspection {
  const names = new Map<string, string>();
  let given: InspectedTracker | undefined;
  let listened: { readonly tracker: InspectedTracker; readonly end: () => void } | undefined;
  let peek: { readonly name: string; readonly of: Peek } | undefined;
  let journal = BLANK;
  let life: symbol | undefined;
  let wake = () => {};

  const view = createView({
    flush: async () => {
      const tracker = given ?? trackerOfPage();
      if (tracker === undefined) return 'There is no tracker here.';
      if (queuedFor(tracker)) return 'The tracker’s script has not loaded.';
      return tracker.flush().then(flushInWords, String);
    },
    clear: () => {
      // What can't be listed still can't.
      journal = { ...BLANK, degraded: journal.degraded };
      view.showBrief(journal);
      wake();
    },
  });
  const { box } = view;
  view.showBrief(journal);
  box.addEventListener('toggle', () => {
    host.toggleAttribute('open', box.open);
    wake();
  });
  const root = host.attachShadow({ mode: 'open' });
  root.append(box);
  // Where there are none of these it is plain, and as good.
  attempt(() => {
    root.adoptedStyleSheets = [lookSheet()];
  });

  /** The tracker may come, or another in its place, at any moment. */
  function attend(): InspectedTracker | undefined {
    const tracker = given ?? trackerOfPage();
    if (tracker === listened?.tracker) return tracker;
    listened?.end();
    listened = tracker && {
      tracker,
      end: listenTo(tracker, (told) => {
        journal = hear(journal, told, Date.now(), (id) => names.get(id));
        view.showBrief(journal);
      }),
    };
    return tracker;
  }

  function peekOf(name: string): Peek {
    if (peek?.name === name) return peek.of;
    peek?.of.close();
    peek = { name, of: peekInto(name) };
    return peek.of;
  }

  async function look(tracker: InspectedTracker | undefined): Promise<Seen> {
    let known: Seen['known'];
    try {
      known = knownOf(host, document.scripts, ownOrigin);
    } catch (error) {
      known = String(error);
    }
    const name = typeof known === 'object' ? nameOf(known.endpoint) : undefined;
    const [trackerSeen, found] = await Promise.all([
      lookAtTracker(tracker),
      name === undefined ? ({ kind: 'missing' } as const) : peekOf(name).look(),
    ]);
    const isOut = name !== undefined && visitorsChoice(localPageStorage, name).now() % 2 === 1;
    return { at: Date.now(), tracker: trackerSeen, known, found, isOut };
  }

  function learnNames({ found }: Seen): void {
    if (found.kind !== 'there') return;
    if (names.size > MAX_NAMES) names.clear();
    for (const entry of found.oldest) names.set(entry.record.id, nameOfRecord(entry));
  }

  /** Turn after turn, for as long as this life lasts. */
  async function turns(own: symbol): Promise<void> {
    while (life === own) {
      const tracker = attend();
      if (!box.open || document.hidden) peek?.of.close();
      else {
        const seen = await look(tracker);
        learnNames(seen);
        view.show(pictureOf(seen, journal));
      }
      if (life !== own) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, EVERY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    peek?.of.close();
  }

  return {
    get tracker() {
      return given;
    },
    set tracker(tracker) {
      given = tracker;
      if (life) attend();
      wake();
    },
    start: () => {
      life = Symbol();
      void turns(life);
    },
    stop: () => {
      life = undefined;
      wake();
      listened?.end();
      listened = undefined;
    },
    open: (isOpen) => {
      box.open = isOpen;
    },
  };
}
