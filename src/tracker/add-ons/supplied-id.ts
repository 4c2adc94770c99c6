import { pendingCalls } from '../page/pending-records.ts';
import type { Call } from '../record/call.ts';
import { bare } from '../record/own-fields.ts';
import type { Visitor } from '../record/visitor.ts';
import type { AddOn } from './add-on.ts';

/** Returns the id of the anonymous visitor, or nothing while it is unknown. It is called again and again. */
export type AnonymousIdSource = () => string | undefined | Promise<string | undefined>;

// An SDK that a script loads takes its time. One that is blocked never comes.
const LOOKS = 50;
const LOOK_EVERY_MS = 100;
const WAIT_MS = LOOKS * LOOK_EVERY_MS;

// WebEngage's limit. https://docs.webengage.com/docs/rest-api-tracking-users
const MAX_ID_LENGTH = 100;

/**
 * The key under which `joinWebEngage` keeps the logins and logouts that WebEngage's SDK has yet to make.
 * A logout is an empty text in a list.
 */
export const LOGINS_KEY = 'webengage-relay/webengage';

const LOGOUT = /[[,]""/;
const LOGOUT_AFTER_LOGIN = /,""/;

/** An object that an append has just made, and that no other code has seen yet. */
type Fresh<T> = { -readonly [Field in keyof T]: T[Field] };

/** Returns the value of a cookie of the page. Throws if the page may not read it. */
export function cookieNamed(name: string): () => string {
  return () => decodeURIComponent(`; ${document.cookie}`.split(`; ${name}=`)[1]?.split(';')[0] ?? '');
}

/**
 * Gives anonymous records the id that another SDK on the page has for this browser.
 * Throws a `RangeError` for anything but a function.
 *
 * In a new browser, and after `reset()`, calls wait for an id, in the spill: they survive the page. A page that is
 * left before leaves them to the next one. After 5 s without an id they get a random id of the tracker. No id is
 * given to a second visitor. From then on, each call takes the latest id of the source.
 */
export function anonymousId(source: AnonymousIdSource): AddOn {
  if (typeof source !== 'function') throw new RangeError(`anonymousId must be a function, not ${source}`);
  return bare<AddOn>({
    engine: (engine, page) => {
      const { records, time, pageStorage, endpointName } = page;
      let latest = '';

      /** Whether the SDK has yet to make a logout. The hint tells whether it has supplied an id before. */
      function isDue(logout: RegExp): boolean {
        return !!(
          pageStorage.get(endpointName)?.match('"supplied"') && pageStorage.get(LOGINS_KEY)?.match(logout)
        );
      }

      async function ask(): Promise<void> {
        try {
          const id = await source();
          // Until the SDK has made its last logout, another id than the first belongs to a user who has gone.
          if (typeof id === 'string' && id.length <= MAX_ID_LENGTH && !isDue(LOGOUT)) latest = id;
        } catch {
          // The error is the site's own, and may contain anything.
        }
      }

      page.records = {
        ...records,
        append: async (change) => {
          const { supplied } = page.visitor;
          // A browser that is known to the tracker has a hint.
          const mustWait =
            pageStorage.get(endpointName) === null ||
            (supplied &&
              [...(page.spilled ?? []), ...pendingCalls(page)].some(({ kind }) => kind === 'reset'));
          for (let looks = mustWait ? LOOKS : 0; ; looks -= 1) {
            void ask();
            // After a source that answers at once. A promise is heard at the next look, or by the next call.
            await undefined;
            // The SDK logs no one in before the earlier calls are sent, and has no next id before that.
            page.awaitsId =
              looks > 0 && (!latest || latest === supplied) && engine.isHeard() && !isDue(LOGOUT_AFTER_LOGIN);
            if (!page.awaitsId) break;
            if (looks === 1) page.emit('unmerged', { waitedMs: WAIT_MS });
            await new Promise<void>((resolve) => void time.timer(resolve, LOOK_EVERY_MS));
          }
          const id = latest;
          // Later calls form the next group, which reads what other tabs have spilled meanwhile.
          page.writing = page.gathered ?? [];
          page.gathered = undefined;
          return records.append((kept) => {
            const made = change(kept);
            const visitor: Fresh<Visitor> = made.visitor;
            const { supplied, anonymousId: own } = visitor;
            // Another tab may have given it to a visitor before this one.
            if (id && id !== supplied) {
              // Among several visitors its owner is unknown, so none of them gets it. A first id is for the
              // first visitor of the browser, a later one for the visitor after the only change.
              const isOwn = supplied
                ? visitor.changes < kept.changes + 2
                : kept.changes < 2 && own === (kept.anonymousId || page.ids?.anonymousId);
              visitor.supplied = id;
              visitor.changes += 1;
              const all: readonly Fresh<Pick<Call, 'anonymousId'>>[] = [visitor, ...made.entries];
              for (const it of all) if (isOwn && it.anonymousId === own) it.anonymousId = id;
            }
            return made;
          });
        },
      };
      return {
        ...engine,
        add: (call) => {
          // A sign-out of this tab is spilled at once, for the others to find.
          page.awaitsId ||= call.kind === 'reset';
          return engine.add(call);
        },
      };
    },
  });
}
