/**
 * What each entry of the package may weigh, in bytes: minified, with all it needs, brotli. A page's owner counts them.
 * By its name among the `exports` of package.json; the README says the same.
 */
export const BUDGETS: Readonly<Record<string, number>> = {
  './tracker.js': 11_450,
  './tracker.full.js': 11_700,
  './service-worker.js': 10_950,
  '.': 11_000,
  './service-worker': 11_200,
  './page-views.js': 950,
  './page-views': 850,
  './segment': 700,
  './inspector.js': 11_000,
  './inspector': 11_100,
  './edge': 44_500,
};

/** What the line that queues calls may weigh, with its tags. */
export const STUB_BYTES = 300;
