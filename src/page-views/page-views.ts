import { isPrerendered } from '../tracker/platform/page-lifecycle.ts';
import { watchAddress } from './address-changes.ts';
import { type AddressRules, reportableAddress } from './page-address.ts';

export type { AddressRules } from './page-address.ts';

/** The part of a tracker that page views need. The stub that queues calls has it too. */
export type PageViewTracker = { track(eventName: string, eventData?: object): Promise<unknown> };

/** Options of `trackPageViews`. */
export type PageViewOptions = AddressRules & {
  /** @default 'Page Viewed' */
  readonly eventName?: string | undefined;
};

/** The properties of a page view. Campaign parameters come in addition. */
export type PageView = {
  readonly URL: string;
  readonly Path: string;
  readonly Title?: string | undefined;
  /** The previous page: in another document, if the browser reveals it, or in this one. */
  readonly Referrer?: string | undefined;
};

/** `moved`: its title may come later. `settled`: it won't. `back`: restored from the back/forward cache. */
type Way = 'moved' | 'settled' | 'back';

// Routers change the address first, and set the title once they have rendered the page. So a page that still
// has the title of the one before is looked at again, for half a second.
const LOOK_EVERY_MS = 50;
const LOOKS = 10;

/**
 * Tracks each page that the visitor comes to. Returns a function that stops it.
 *
 * - A page that is loaded is tracked at once.
 * - A page that a script navigates to is tracked after the current task, once it has a title of its own. It is
 *   tracked without one after half a second, or when the visitor leaves it.
 * - A page that is restored from the back/forward cache is tracked again.
 * - A prerendered page is tracked when the visitor comes to it.
 *
 * A script has navigated to another page if the address differs after the `AddressRules` are applied. On a
 * server nothing happens.
 */
export function trackPageViews(
  tracker: PageViewTracker,
  { eventName = 'Page Viewed', ...rules }: PageViewOptions = {},
): () => void {
  const life = new AbortController();
  const { signal } = life;
  let counted: string | undefined;
  let titleBefore: string | undefined;
  let looksLeft = LOOKS;
  /** The page that a script has navigated to, while its title is awaited. */
  let awaited: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReported = false;

  async function trackPage(way: Way, href = location.href): Promise<void> {
    clearTimeout(timer);
    awaited = timer = undefined;
    const { url, path, campaign } = reportableAddress(href, rules);
    const { title } = document;
    if (signal.aborted || (way !== 'back' && url === counted)) return;
    if (way === 'moved' && title === titleBefore && looksLeft > 0) {
      looksLeft -= 1;
      awaited = href;
      timer = setTimeout(count, LOOK_EVERY_MS, way);
      return;
    }
    // A visitor who comes back has been on another page since, so the page counted last is not the referrer.
    const Referrer = way === 'back' ? undefined : (counted ?? documentReferrer(rules));
    counted = url;
    await tracker.track(eventName, {
      URL: url,
      Path: path,
      Title: title || undefined,
      Referrer,
      ...campaign,
    } satisfies PageView);
  }

  /**
   * Never throws into the page. The first failure of `redact` or the tracker is reported, as an
   * unhandled rejection.
   */
  const count = (way: Way, href?: string): Promise<void> =>
    trackPage(way, href).catch((error) => {
      if (isReported) return;
      isReported = true;
      throw error;
    });

  function navigated(): void {
    // A page that is left will not get a title any more.
    if (awaited && awaited !== location.href) void count('settled', awaited);
    if (timer) return;
    titleBefore = document.title;
    looksLeft = LOOKS;
    // Routers push an address and replace it in one task, and may set the title in between.
    timer = setTimeout(count, 0, 'moved');
  }

  function start(): void {
    void count('settled');
    watchAddress(navigated, signal);
    addEventListener('pagehide', () => timer && count('settled'), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && count('back'), { signal });
  }

  if (isPrerendered()) document.addEventListener('prerenderingchange', start, { signal });
  else if (globalThis.document) start();
  return () => life.abort();
}

/** The page that led to this document, if the browser reveals it. */
function documentReferrer(rules: AddressRules): string | undefined {
  const { referrer } = document;
  // A form or an image named `referrer` takes the place of the text.
  return /:/.test(referrer) ? reportableAddress(referrer, rules).url : undefined;
}
