import { isPrerendered } from '../tracker/platform/page-lifecycle.ts';
import { watchAddress } from './address-changes.ts';
import { type AddressRules, toldAddress } from './page-address.ts';

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

/** `back`: restored from the back/forward cache. */
type Way = 'loaded' | 'moved' | 'back';

/**
 * Tracks each page that the visitor comes to. Returns a function that stops it.
 *
 * - A page that is loaded is tracked at once.
 * - A page that a script navigates to is tracked after the current task, when its title is set.
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
  let isReported = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function referrerOf(way: Way): string | undefined {
    // A visitor who comes back has been on another page since, so the page counted last is not the referrer.
    if (way === 'back') return undefined;
    const { referrer } = document;
    // A form or an image named `referrer` takes the place of the text.
    return counted ?? (/:/.test(referrer) ? toldAddress(referrer, rules).url : undefined);
  }

  async function tell(way: Way): Promise<void> {
    timer = undefined;
    const { url, path, campaign } = toldAddress(location.href, rules);
    if (signal.aborted || (way === 'moved' && url === counted)) return;
    const Referrer = referrerOf(way);
    counted = url;
    const Title = document.title || undefined;
    await tracker.track(eventName, { URL: url, Path: path, Title, Referrer, ...campaign } satisfies PageView);
  }

  /**
   * Never throws into the page. The first failure of `redact` or the tracker is reported, as an
   * unhandled rejection.
   */
  const count = (way: Way): Promise<void> =>
    tell(way).catch((error) => {
      if (isReported) return;
      isReported = true;
      throw error;
    });

  function start(): void {
    void count('loaded');
    // Routers push an address and replace it in one task, and then set the title.
    watchAddress(() => {
      timer ??= setTimeout(count, 0, 'moved');
    }, signal);
    addEventListener('pagehide', () => timer && count('moved'), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && count('back'), { signal });
  }

  if (isPrerendered()) document.addEventListener('prerenderingchange', start, { signal });
  else if (globalThis.document) start();
  return () => life.abort();
}
