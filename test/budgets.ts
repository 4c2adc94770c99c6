/**
 * What each entry of the package may weigh, in bytes: minified, with all it needs, brotli. A page's owner counts them.
 * By its name among the `exports` of package.json; the README says the same.
 */
export const BUDGETS: Readonly<Record<string, number>> = {
  './tracker.js': 10_250,
  './service-worker.js': 10_250,
  '.': 10_250,
  './service-worker': 10_400,
  './edge': 43_000,
};
