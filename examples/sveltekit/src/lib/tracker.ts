import { createTracker } from 'webengage-relay';
import { trackPageViews } from 'webengage-relay/page-views';
import { browser } from '$app/env';

type ShopEvents = { 'Added to Cart': { 'Product ID': number; Price: number } };

function start() {
  const tracker = createTracker<ShopEvents>({ endpoint: 'http://localhost:8787' });
  trackPageViews(tracker);
  return tracker;
}

/** The page's one tracker, made as the app starts in the browser. A server has none. */
export const tracker = browser ? start() : undefined;
