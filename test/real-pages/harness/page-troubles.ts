// What is wrong with a page's storage, clock or network. Scripts for `before`, as text; each leaves handles on `window`.

/** The database opens late, as on a busy disk: the page hears of it after so long. */
export const slowDatabase = (ms = 150): string => `(function () {
  var open = IDBFactory.prototype.open, wait = window.setTimeout;
  IDBFactory.prototype.open = function () {
    var real = open.apply(this, arguments), request = new EventTarget();
    var on = {};
    function pass(name, event, late) {
      function tell() {
        if (on[name]) on[name].call(request, event);
        request.dispatchEvent(new Event(name));
      }
      late ? wait.call(window, tell, ${ms}) : tell();
    }
    ['success', 'error', 'blocked', 'upgradeneeded'].forEach(function (name) {
      Object.defineProperty(request, 'on' + name, { get: function () { return on[name]; }, set: function (f) { on[name] = f; } });
      real.addEventListener(name, function (event) { pass(name, event, name === 'success' || name === 'error'); });
    });
    ['result', 'error', 'transaction', 'readyState', 'source'].forEach(function (name) {
      Object.defineProperty(request, name, { get: function () { return real[name]; } });
    });
    return request;
  };
})();`;

/** There is no database to be had. */
export const NO_DATABASE = `IDBFactory.prototype.open = function () { throw new DOMException('denied', 'SecurityError'); };`;

/** `localStorage` takes nothing and shows nothing. */
export const NO_LOCAL_STORAGE = `Object.defineProperty(window, 'localStorage', {
  configurable: true, get: function () { throw new DOMException('denied', 'SecurityError'); } });`;

/** `fillStorage()` leaves no room in `localStorage`, to the last character; `leave` characters are let be. */
export const CAN_FILL = `window.fillStorage = function (leave) {
  var size = 1 << 20, text = 'x'.repeat(size), n = 0;
  while (size > 0) {
    try { localStorage.setItem('shop-' + n++, text.slice(0, size)); } catch (e) { size >>= 1; }
  }
};`;

/** The page's clock: `setClockOff(ms)` moves `Date`, and nothing else. */
export const CLOCK = `(function () {
  var True = Date, off = 0;
  function now() { return True.now() + off; }
  window.Date = new Proxy(True, {
    construct: function (target, given, as) { return Reflect.construct(target, given.length === 0 ? [now()] : given, as === window.Date ? True : as); },
    apply: function () { return new True(now()).toString(); },
    get: function (target, name) { return name === 'now' ? now : Reflect.get(target, name); }
  });
  window.setClockOff = function (ms) { off = ms; };
})();`;

export const clockOff = (ms: number): string => `${CLOCK} setClockOff(${ms});`;

/** Another script's listener takes so long as the page is hidden: behind those that capture, before the page's own. */
export const blockingListener = (
  ms: number,
): string => `document.addEventListener('visibilitychange', function () {
  var end = performance.now() + ${ms};
  while (document.visibilityState === 'hidden' && performance.now() < end) {}
});`;

/** A worker of the page: `await inWorker(code)` runs the body of an async function there; `tracker` is its own. */
export const WITH_WORKER = `window.startWorker = function (url) {
  var worker = new Worker(url, { type: 'module' }), n = 0, asked = {};
  worker.onmessage = function (message) {
    var those = asked[message.data.n];
    if (those) (message.data.error ? those[1](new Error(message.data.error)) : those[0](message.data.value));
  };
  window.inWorker = function (code) {
    return new Promise(function (y, no) { asked[++n] = [y, no]; worker.postMessage({ n: n, code: code }); });
  };
  return inWorker('return 1');
};`;

/** The module of such a worker. */
export const workerCode = (endpoint: string): string => `
  import { createTracker } from '/dist/index.js';
  self.tracker = createTracker({ endpoint: ${JSON.stringify(endpoint)}, maxWaitMs: 100, requestsPerMinute: 500, burst: 100 });
  self.onmessage = async ({ data: { n, code } }) => {
    try { postMessage({ n, value: await new Function('return (async () => {' + code + '})()')() }); }
    catch (error) { postMessage({ n, error: String(error) }); }
  };`;
