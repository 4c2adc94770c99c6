import { isPrerendered } from '../tracker/platform/page-lifecycle.ts';
import { watchAddress } from './address-changes.ts';
import { type Address, type AddressRules, toldAddress } from './page-address.ts';
import { onTitleChange } from './title-change.ts';

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

// Routers change the address first, and set the title once they have rendered the page.
const TITLE_WITHIN_MS = 500;

/**
 * Tracks each page that the visitor comes to. Returns a function that stops it.
 *
 * - A page that is loaded is tracked at once.
 * - A page that a script navigates to is tracked when its title is set, after the current task at the earliest.
 *   If the title does not change, it is tracked after half a second, or sooner if the page is hidden.
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
  /** The page that a script has navigated to, while its title is awaited. */
  let awaited: Address | undefined;
  let titleBefore: string | undefined;
  let stopWaiting = () => {};
  let isLookDue = false;
  let isReported = false;

  const here = (): Address => toldAddress(location.href, rules);

  function referrer(): string | undefined {
    const { referrer } = document;
    // A form or an image named `referrer` takes the place of the text.
    return counted ?? (/:/.test(referrer) ? toldAddress(referrer, rules).url : undefined);
  }

  async function tell({ url, path, campaign }: Address, isBack = false): Promise<void> {
    stopWaiting();
    awaited = titleBefore = undefined;
    // A visitor who comes back has been on another page since, so the page counted last is not the referrer.
    const Referrer = isBack ? undefined : referrer();
    counted = url;
    const Title = document.title || undefined;
    await tracker.track(eventName, { URL: url, Path: path, Title, Referrer, ...campaign } satisfies PageView);
  }

  /** Tells of the page that a script has navigated to, or waits for its title. */
  async function look(isLast = false): Promise<void> {
    isLookDue = false;
    if (signal.aborted) return stopWaiting();
    const address = here();
    if (address.url === counted) titleBefore = undefined;
    else if (isLast || document.title !== titleBefore) await tell(address);
    else if (!awaited) {
      awaited = address;
      stopWaiting = onTitleChange(titleBefore, TITLE_WITHIN_MS, () => guard(look(true)));
    }
  }

  async function navigated(): Promise<void> {
    // A page that is left will not get a title any more.
    if (awaited && awaited.url !== here().url) guard(tell(awaited));
    // Routers push an address and replace it in one task, and may set the title in between.
    titleBefore ??= document.title;
    if (!isLookDue) setTimeout(() => guard(look()));
    isLookDue = true;
  }

  /**
   * Never throws into the page. The first failure of `redact` or the tracker is reported, as an
   * unhandled rejection.
   */
  function guard(counting: Promise<void>): void {
    counting.catch((error) => {
      if (isReported) return;
      isReported = true;
      throw error;
    });
  }

  const loaded = async (isBack?: boolean) => tell(here(), isBack);

  function start(): void {
    guard(loaded());
    watchAddress(() => guard(navigated()), signal);
    // A hidden page may be gone in a moment.
    for (const type of ['visibilitychange', 'pagehide'])
      addEventListener(type, () => guard(look(true)), { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && guard(loaded(true)), { signal });
  }

  if (isPrerendered()) document.addEventListener('prerenderingchange', start, { signal });
  else if (globalThis.document) start();
  return () => life.abort();
}
