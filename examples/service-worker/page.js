import { createTracker } from 'webengage-relay';
import { trackPageViews } from 'webengage-relay/page-views';

// With `backgroundSync` the browser wakes the service worker once there is a network.
const tracker = createTracker({ endpoint: 'http://localhost:8787', backgroundSync: true });
navigator.serviceWorker.register('/sw.js', { type: 'module' });

if (location.pathname === '/mug') document.title = 'A mug';
trackPageViews(tracker);

const on = (id, act) => document.getElementById(id).addEventListener('click', act);
on('log-in', () => tracker.identify('johndoe', { email: 'john@doe.com' }));
on('add-to-cart', () => tracker.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 }));
