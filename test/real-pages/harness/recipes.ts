// What pages do to their built-ins by hand: recipes from answers to questions, hardening, and names of their own.

/** A text that no record may hold. */
const SPOILT = 'spoilt by the page';

const onObjectPrototype = (names: readonly string[], value: string): string =>
  `(function (names) { for (var i = 0; i < names.length; i++) Object.prototype[names[i]] = ${value}; })(${JSON.stringify(names)});`;

/** Names that a tracker's own objects have, or may have. */
const OUR_NAMES = [
  ...['reset', 'kind', 'userId', 'anonymousId', 'eventName', 'eventData', 'profile', 'attributes', 'page'],
  ...[
    'fields',
    'record',
    'records',
    'entry',
    'id',
    'ids',
    'key',
    'at',
    'age',
    'seq',
    'device',
    'token',
    'tokens',
  ],
  ...[
    'step',
    'reason',
    'outcome',
    'pause',
    'changes',
    'choice',
    'payload',
    'error',
    'code',
    'response',
    'rejected',
  ],
  ...[
    'repaired',
    'duplicates',
    'now',
    'queue',
    'options',
    'endpoint',
    'consent',
    'plugins',
    'debug',
    'strict',
  ],
];

/** Names that the platform looks for in what it is given, and finds wherever they come from. */
const PLATFORM_NAMES = [
  ...[
    'signal',
    'headers',
    'mode',
    'cache',
    'redirect',
    'referrer',
    'integrity',
    'priority',
    'window',
    'duplex',
  ],
  ...['ifAvailable', 'steal', 'capture', 'once', 'passive', 'unique', 'multiEntry', 'keyPath', 'durability'],
  ...['get', 'set', 'value', 'writable', 'enumerable', 'configurable', 'activateAfter'],
];

const localTime = `
  function (key) {
    function p(n) { return (n < 10 ? '0' : '') + n; }
    return this.getFullYear() + '-' + p(this.getMonth() + 1) + '-' + p(this.getDate()) + 'T' + p(this.getHours()) + ':' + p(this.getMinutes()) + ':' + p(this.getSeconds());
  }`;

const freeze = (names: readonly string[]) => `${names.map((name) => `Object.freeze(${name});`).join(' ')}`;

/** Each by what the page does. */
export const RECIPES: Readonly<Record<string, string>> = {
  'Array.prototype.toJSON that answers with text': `Array.prototype.toJSON = function () { return '[' + this.join(',') + ']'; };`,
  'Object.prototype.toJSON': `Object.prototype.toJSON = function () { return '${SPOILT}'; };`,
  'String.prototype.toJSON': `String.prototype.toJSON = function () { return '${SPOILT}'; };`,
  'Number.prototype.toJSON and Boolean.prototype.toJSON': `Number.prototype.toJSON = Boolean.prototype.toJSON = function () { return '${SPOILT}'; };`,
  'Date.prototype.toJSON in local time': `Date.prototype.toJSON = ${localTime};`,
  'Date.prototype.toISOString in local time': `Date.prototype.toISOString = ${localTime};`,
  'Date.prototype.toJSON and toISOString that throw': `Date.prototype.toJSON = Date.prototype.toISOString = function () { throw new Error('${SPOILT}'); };`,
  'Date.prototype.valueOf and toString for display': `Date.prototype.valueOf = Date.prototype.toString = function () { return '${SPOILT}'; };`,
  'JSON.stringify that takes one argument': `(function (stringify) { JSON.stringify = function (value) { return stringify(value); }; })(JSON.stringify);`,
  'JSON.stringify that drops empty values': `(function (stringify) { JSON.stringify = function (value) {
    return stringify(value, function (key, held) { return held === 0 || held === '' || held === false ? undefined : held; }); }; })(JSON.stringify);`,
  'JSON.parse that revives dates': `(function (parse) { JSON.parse = function (text) {
    return parse(text, function (key, held) { return typeof held === 'string' && /^\\d{4}-\\d\\d-\\d\\dT/.test(held) ? new Date(held) : held; }); }; })(JSON.parse);`,
  'Object.prototype.reset and other names of ours': onObjectPrototype(
    OUR_NAMES,
    `function () { return '${SPOILT}'; }`,
  ),
  'names of ours on Object.prototype that are true': onObjectPrototype(OUR_NAMES, 'true'),
  'names of the platform on Object.prototype': onObjectPrototype(
    PLATFORM_NAMES,
    `function () { return '${SPOILT}'; }`,
  ),
  'frozen Array.prototype': freeze(['Array.prototype']),
  'frozen Object.prototype': freeze(['Object.prototype']),
  'frozen prototypes, all of them': freeze(
    ['Object', 'Array', 'Function', 'Promise', 'Error', 'Date', 'Map', 'Set', 'String', 'RegExp'].flatMap(
      (name) => [name, `${name}.prototype`],
    ),
  ),
  'Array.prototype.push that notifies': `Array.prototype.push = function () { for (var i = 0; i < arguments.length; i++) this[this.length] = arguments[i]; return undefined; };`,
  'Array.prototype.entries, keys and values as lists': `Array.prototype.entries = Array.prototype.values = function () { return this.slice(0); };
    Array.prototype.keys = function () { var k = []; for (var i = 0; i < this.length; i++) k.push(i); return k; };`,
  'Function.prototype.call and apply that log': `(function (call, apply) {
    Function.prototype.call = function (self) { return Reflect.apply(this, self, Array.prototype.slice.apply(arguments).slice(1)); };
  })(Function.prototype.call, Function.prototype.apply);`,
  'listeners that are passive by default': `(function (add) {
    EventTarget.prototype.addEventListener = function (name, listener, options) {
      return add.call(this, name, listener, typeof options === 'object' ? options : { passive: true, capture: !!options });
    }; })(EventTarget.prototype.addEventListener);`,
  'Math.random of a seeded test': `Math.random = function () { return 0.5; };`,
};

/** Names of the platform that pages declare for themselves, each to mean something else. */
export const GLOBALS: Readonly<Record<string, string>> = {
  'its own Map and Set': `window.Map = function Map(element) { this.element = element; }; window.Set = function Set() { this.items = []; };`,
  'its own URL, Request and Event': `window.URL = 'https://shop.example.com/'; window.Request = function Request() {}; window.Event = { stop: function () {} };`,
  'a Promise of its own, without finally': `(function (Native) {
    function Own(run) { this._native = new Native(run); }
    Own.prototype.then = function (y, n) { var of = this._native.then(y, n); return new Own(function (a, b) { of.then(a, b); }); };
    Own.prototype['catch'] = function (n) { return this.then(undefined, n); };
    Own.resolve = function (v) { return new Own(function (y) { y(v); }); };
    Own.reject = function (e) { return new Own(function (y, n) { n(e); }); };
    Own.all = function (list) { return new Own(function (y, n) { Native.all(list).then(y, n); }); };
    Own.race = function (list) { return new Own(function (y, n) { Native.race(list).then(y, n); }); };
    window.Promise = Own; })(Promise);`,
};
