import { type PageViewOptions, type PageViewTracker, trackPageViews } from './page-views.ts';

type Relay = PageViewTracker & { readonly pageViews?: PageViewOptions };

const page = globalThis as { readonly webengageRelay?: Relay; pageViewsEnd?: () => void };

const list = (attribute: string | undefined) => attribute?.split(',');

/**
 * The settings in the attributes of the script's own tag. A module, a bundle or an inline script has no such
 * tag, so this throws there.
 */
function attributeOptions(): PageViewOptions {
  const { src, dataset } = (document.currentScript ?? {}) as HTMLScriptElement;
  if (!/page-views/.test(src))
    throw new Error('page-views.js needs its own script tag, or webengageRelay.pageViews');
  return {
    ...dataset,
    query: list(dataset.query),
    campaign: list(dataset.campaign),
    hashRoutes: (dataset.hashRoutes ?? 'false') !== 'false',
  };
}

// A page loads this twice if a template and a tag manager both add it, or if a framework swaps the body.
if (!page.pageViewsEnd) {
  const { webengageRelay } = page;
  if (!webengageRelay?.track) throw new Error('page-views.js must come after the line that queues calls');
  page.pageViewsEnd = trackPageViews(webengageRelay, webengageRelay.pageViews ?? attributeOptions());
}
