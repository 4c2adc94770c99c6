/**
 * What each entry of the package may weigh, in bytes: minified, with all it needs, brotli. A page's owner counts them.
 * By its name among the `exports` of package.json; the README says the same.
 */
export const BUDGETS: Readonly<Record<string, number>> = {
  './tracker.js': 10_600,
  './service-worker.js': 10_600,
  '.': 10_600,
  './service-worker': 10_700,
  './page-views.js': 950,
  './page-views': 850,
  './segment': 700,
  './inspector.js': 8_500,
  './inspector': 8_300,
  './edge': 44_500,
};
