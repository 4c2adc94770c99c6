import { type PageViewTracker, trackPageViews } from './page-views.ts';

// A classic script has one; a module has none, and can import `trackPageViews` in its place.
const { eventName, query, campaign, hashRoutes } = (document.currentScript as HTMLScriptElement).dataset;

const list = (attribute: string | undefined) => attribute?.split(',');

const { webengageRelay } = globalThis as { readonly webengageRelay?: unknown };
if (!webengageRelay)
  throw new Error('page-views.js needs the line that queues calls before it, or tracker.js loaded');

trackPageViews(webengageRelay as PageViewTracker, {
  eventName,
  query: list(query),
  campaign: list(campaign),
  hashRoutes: hashRoutes !== undefined && hashRoutes !== 'false',
});
