/**
 * What each entry of the package may weigh, in bytes: minified, with all it needs, brotli. A page's owner counts them.
 * By its name among the `exports` of package.json; docs/reference/sizes.md says the same.
 */
export const BUDGETS: Readonly<Record<string, number>> = {
  // The last 20 bytes are for `navigator.webdriver` in the envelope, by which the relay counts bots.
  './tracker.js': 10_920,
  './tracker.full.js': 14_500,
  './service-worker.js': 12_100,
  '.': 15_200,
  './service-worker': 13_750,
  './page-views.js': 1_090,
  './page-views': 945,
  './segment': 700,
  './inspector.js': 11_100,
  './inspector': 11_200,
  './server': 9_900,
  './edge': 58_400,
};

/** What the line that queues calls may weigh, with its tags. */
export const STUB_BYTES = 300;
