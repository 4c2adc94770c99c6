import { createTracker } from 'webengage-relay';
import { trackPageViews } from 'webengage-relay/page-views';

type ShopEvents = { 'Added to Cart': { 'Product ID': number; Price: number } };

/** The app's one tracker. A `.client` plugin runs once, in the browser. */
export default defineNuxtPlugin(() => {
  const tracker = createTracker<ShopEvents>({ endpoint: useRuntimeConfig().public.relayUrl });
  trackPageViews(tracker);
  return { provide: { tracker } };
});
