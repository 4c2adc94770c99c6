import { isPrerendered } from '../tracker/platform/page-lifecycle.ts';
import { watchAddress } from './address-changes.ts';
import { type AddressRules, toldAddress } from './page-address.ts';

export type { AddressRules } from './page-address.ts';

/** All of a tracker that page views need: any has it, and so has what stands there until its script has loaded. */
export type PageViewTracker = { track(eventName: string, eventData?: object): Promise<unknown> };

/** How page views are told. */
export type PageViewOptions = AddressRules & {
  /** @default 'Page Viewed' */
  readonly eventName?: string | undefined;
};

/** The properties of a page view, beside those of the campaign. */
export type PageView = {
  readonly URL: string;
  readonly Path: string;
  readonly Title?: string | undefined;
  /** The page before: of another document, if it says so, or of this one. */
  readonly Referrer?: string | undefined;
};

/** `back`: out of the back/forward cache. */
type Way = 'loaded' | 'moved' | 'back';

/**
 * Tracks each page that the visitor comes to: as it is loaded, at once; as a script moves on within it, at the end of the
 * task, when it has its title; and as it comes back out of the back/forward cache. Another page is another address, as
 * it is told. A page that was loaded ahead counts when the visitor comes to it.
 * Answers with what ends it. On a server nothing happens.
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
    // Who comes back has been on another page since: the one before this is not where they come from.
    if (way === 'back') return undefined;
    const { referrer } = document;
    // A form or an image of this name would stand in its place.
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

  /** Never throws into the page: a rejected promise reports why `redact` or the tracker fails, the first time. */
  const count = (way: Way): Promise<void> =>
    tell(way).catch((error) => {
      if (isReported) return;
      isReported = true;
      throw error;
    });

  function start(): void {
    void count('loaded');
    // Routers push an address and replace it in one task, and set the title when they have.
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
