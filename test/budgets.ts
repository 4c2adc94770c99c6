/**
 * What each entry of the package may weigh, in bytes: minified, with all it needs, brotli. A page's owner counts them.
 * By its name among the `exports` of package.json; docs/reference/sizes.md says the same.
 */
export const BUDGETS: Readonly<Record<string, number>> = {
  // With the add-on settings of the anonymous id, which it refuses, and `on('reset')`. Of each tracker, 16 to 22
  // bytes say `navigator.webdriver` to the relay, which counts bots.
  './tracker.js': 10_760,
  // With the anonymous id: its wait, the cookie, and that no id reaches a second visitor.
  './tracker.full.js': 14_890,
  './service-worker.js': 12_110,
  '.': 14_360,
  './service-worker': 12_850,
  './page-views.js': 1_090,
  './page-views': 945,
  './webengage.js': 2_200,
  './webengage': 2_600,
  './segment': 700,
  './inspector.js': 11_100,
  './inspector': 11_200,
  './server': 9_900,
  './edge': 77_000,
};

/** What the line that queues calls may weigh, with its tags. */
export const STUB_BYTES = 300;
