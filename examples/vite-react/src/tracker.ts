import { consent, createTracker } from 'webengage-relay';
import { trackPageViews } from 'webengage-relay/page-views';

type ShopEvents = { 'Added to Cart': { 'Product ID': number; Price: number } };

/** The app's one tracker. Calls wait in memory until the visitor has agreed. */
export const tracker = createTracker<ShopEvents>({
  endpoint: 'http://localhost:8787',
  plugins: [consent({ initial: 'pending' })],
});

trackPageViews(tracker);
