// What libraries that shops still ship do to a page's built-ins, in their own manner: small, and true to what they replace.

const EXTEND = `
  function extend(to, from) { for (var name in from) to[name] = from[name]; return to; }
  Object.extend = extend;`;

/** Where the two releases of Prototype are alike: Enumerable, String, Function and `$A`. */
const PROTOTYPE_COMMON = `${EXTEND}
  window.$A = function (iterable) {
    if (!iterable) return [];
    if (iterable.toArray) return iterable.toArray();
    var length = iterable.length || 0, results = new Array(length);
    while (length--) results[length] = iterable[length];
    return results;
  };
  window.$break = {};
  window.K = function (x) { return x; };
  var slice = Array.prototype.slice;
  extend(Function.prototype, {
    argumentNames: function () { return []; },
    bind: function (context) {
      if (arguments.length < 2 && context === undefined) return this;
      var method = this, args = slice.call(arguments, 1);
      return function () { return method.apply(context, args.concat(slice.call(arguments, 0))); };
    },
    curry: function () {
      var method = this, args = slice.call(arguments, 0);
      return function () { return method.apply(this, args.concat(slice.call(arguments, 0))); };
    },
    delay: function (seconds) {
      var method = this, args = slice.call(arguments, 1);
      return window.setTimeout(function () { return method.apply(method, args); }, seconds * 1000);
    },
    defer: function () { return this.delay(0.01); },
    wrap: function (wrapper) { var method = this; return function () { return wrapper.apply(this, [method].concat(slice.call(arguments, 0))); }; }
  });
  extend(String.prototype, {
    gsub: function (pattern, by) { return this.split(pattern).join(by); },
    sub: function (pattern, by) { return this.replace(pattern, by); },
    strip: function () { return this.replace(/^\\s+/, '').replace(/\\s+$/, ''); },
    toArray: function () { return this.split(''); },
    times: function (count) { return count < 1 ? '' : new Array(count + 1).join(this); },
    inspect: function (useDoubleQuotes) { return useDoubleQuotes ? '"' + this.replace(/"/g, '\\\\"') + '"' : "'" + this + "'"; },
    include: function (pattern) { return this.indexOf(pattern) > -1; },
    startsWith: function (pattern) { return this.lastIndexOf(pattern, 0) === 0; },
    endsWith: function (pattern) { var d = this.length - pattern.length; return d >= 0 && this.indexOf(pattern, d) === d; },
    empty: function () { return this == ''; },
    blank: function () { return /^\\s*$/.test(this); }
  });
  var Enumerable = {
    each: function (iterator, context) {
      var index = 0;
      try { this._each(function (value) { iterator.call(context, value, index++); }); }
      catch (e) { if (e != $break) throw e; }
      return this;
    },
    all: function (iterator, context) { iterator = iterator || K; var result = true; this.each(function (v, i) { result = result && !!iterator.call(context, v, i); if (!result) throw $break; }); return result; },
    any: function (iterator, context) { iterator = iterator || K; var result = false; this.each(function (v, i) { if ((result = !!iterator.call(context, v, i))) throw $break; }); return result; },
    collect: function (iterator, context) { iterator = iterator || K; var results = []; this.each(function (v, i) { results.push(iterator.call(context, v, i)); }); return results; },
    detect: function (iterator, context) { var result; this.each(function (v, i) { if (iterator.call(context, v, i)) { result = v; throw $break; } }); return result; },
    findAll: function (iterator, context) { var results = []; this.each(function (v, i) { if (iterator.call(context, v, i)) results.push(v); }); return results; },
    include: function (object) { return this.indexOf(object) != -1; },
    inject: function (memo, iterator, context) { this.each(function (v, i) { memo = iterator.call(context, memo, v, i); }); return memo; },
    max: function () { var result; this.each(function (v) { if (result == null || v >= result) result = v; }); return result; },
    min: function () { var result; this.each(function (v) { if (result == null || v < result) result = v; }); return result; },
    pluck: function (property) { var results = []; this.each(function (v) { results.push(v[property]); }); return results; },
    sortBy: function (iterator) { return this.map(function (v) { return { v: v, c: iterator(v) }; }).sort(function (l, r) { return l.c < r.c ? -1 : l.c > r.c ? 1 : 0; }).pluck('v'); },
    toArray: function () { return this.map(); },
    zip: function () { return this.map(function (v) { return [v]; }); },
    size: function () { return this.toArray().length; }
  };
  extend(Enumerable, {
    map: Enumerable.collect, find: Enumerable.detect, select: Enumerable.findAll, filter: Enumerable.findAll,
    member: Enumerable.include, entries: Enumerable.toArray, every: Enumerable.all, some: Enumerable.any
  });
  var nativeEach = Array.prototype.forEach, nativeReverse = Array.prototype.reverse, nativeIndexOf = Array.prototype.indexOf;
  extend(Array.prototype, Enumerable);
  extend(Array.prototype, {
    _each: nativeEach,
    _reverse: nativeReverse,
    indexOf: nativeIndexOf,
    clear: function () { this.length = 0; return this; },
    first: function () { return this[0]; },
    last: function () { return this[this.length - 1]; },
    compact: function () { return this.select(function (v) { return v != null; }); },
    flatten: function () { return this.inject([], function (a, v) { return Object.isArray(v) ? a.concat(v.flatten()) : (a.push(v), a); }); },
    without: function () { var values = slice.call(arguments, 0); return this.select(function (v) { return !values.include(v); }); },
    reverse: function (inline) { return (inline === false ? this.toArray() : this)._reverse(); },
    uniq: function () { return this.inject([], function (a, v) { if (!a.include(v)) a.push(v); return a; }); },
    clone: function () { return slice.call(this, 0); },
    toArray: function () { return slice.call(this, 0); },
    size: function () { return this.length; },
    inspect: function () { return '[' + this.map(Object.inspect).join(', ') + ']'; }
  });
  Array.from = window.$A;
  extend(Object, {
    inspect: function (object) { return object === undefined ? 'undefined' : object === null ? 'null' : object.inspect ? object.inspect() : String(object); },
    clone: function (object) { return extend({}, object); },
    isArray: function (object) { return object != null && typeof object == 'object' && 'splice' in object && 'join' in object; },
    isFunction: function (object) { return typeof object == 'function'; },
    isString: function (object) { return typeof object == 'string'; },
    isNumber: function (object) { return typeof object == 'number'; },
    isUndefined: function (object) { return typeof object == 'undefined'; },
    values: function (object) { var values = []; for (var name in object) values.push(object[name]); return values; }
  });
  extend(Number.prototype, {
    succ: function () { return this + 1; },
    times: function (iterator) { for (var i = 0; i < this; i++) iterator(i); return this; },
    toPaddedString: function (length) { var s = this.toString(10); return '0'.times(length - s.length) + s; }
  });
  window.Hash = function (object) { this._object = object || {}; };
  extend(Hash.prototype, Enumerable);`;

/** Prototype.js 1.6.0: before browsers had JSON, so everything has a `toJSON` that answers with text. */
const PROTOTYPE_1_6 = `(function () {${PROTOTYPE_COMMON}
  Object.keys = function (object) { var keys = []; for (var name in object) keys.push(name); return keys; };
  Object.toJSON = function (object) {
    switch (typeof object) { case 'undefined': case 'function': case 'unknown': return; case 'boolean': return object.toString(); }
    if (object === null) return 'null';
    if (object.toJSON) return object.toJSON();
    var results = [];
    for (var name in object) { var value = Object.toJSON(object[name]); if (value !== undefined) results.push(name.toJSON() + ': ' + value); }
    return '{' + results.join(', ') + '}';
  };
  Array.prototype.reduce = function () { return this.length > 1 ? this : this[0]; };
  Array.prototype.toJSON = function () {
    var results = [];
    this.each(function (object) { var value = Object.toJSON(object); if (value !== undefined) results.push(value); });
    return '[' + results.join(', ') + ']';
  };
  String.prototype.toJSON = function () { return this.inspect(true); };
  Number.prototype.toJSON = function () { return isFinite(this) ? this.toString() : 'null'; };
  Hash.prototype.toJSON = function () { return Object.toJSON(this._object); };
  Date.prototype.toJSON = function () {
    return '"' + this.getUTCFullYear() + '-' + (this.getUTCMonth() + 1).toPaddedString(2) + '-' + this.getUTCDate().toPaddedString(2) +
      'T' + this.getUTCHours().toPaddedString(2) + ':' + this.getUTCMinutes().toPaddedString(2) + ':' + this.getUTCSeconds().toPaddedString(2) + 'Z"';
  };
  RegExp.prototype.match = RegExp.prototype.test;
})();`;

/** Prototype.js 1.7: its `toJSON` have gone, its Enumerable is still on every array. */
const PROTOTYPE_1_7 = `(function () {${PROTOTYPE_COMMON}
  Object.toJSON = function (value) { return JSON.stringify(value); };
  RegExp.prototype.match = RegExp.prototype.test;
  window.$ = function (id) { return document.getElementById(id); };
  window.$$ = function (selector) { return $A(document.querySelectorAll(selector)); };
  extend(window.Event, { stop: function (event) { event.preventDefault(); }, element: function (event) { return event.target; } });
})();`;

/** MooTools 1.2: hashes and natives, and a `JSON` of its own. */
const MOOTOOLS_1_2 = `(function () {${EXTEND}
  window.$chk = function (o) { return !!(o || o === 0); };
  window.$type = function (o) { return o == undefined ? false : o instanceof Array ? 'array' : typeof o; };
  window.$splat = function (o) { return o instanceof Array ? o : o === undefined ? [] : [o]; };
  window.Hash = function (object) { for (var name in object) if (object.hasOwnProperty(name)) this[name] = object[name]; };
  Hash.prototype = {
    constructor: Hash,
    each: function (fn, bind) { for (var name in this) if (this.hasOwnProperty(name)) fn.call(bind, this[name], name, this); },
    has: Object.prototype.hasOwnProperty,
    getLength: function () { var n = 0; for (var name in this) if (this.hasOwnProperty(name)) n++; return n; },
    keyOf: function (value) { for (var name in this) if (this.hasOwnProperty(name) && this[name] === value) return name; return null; }
  };
  window.JSON = new Hash({ stringify: JSON.stringify, parse: JSON.parse });
  JSON.encode = function (o) { return JSON.stringify(o); };
  JSON.decode = function (s, secure) { return JSON.parse(s); };
  Function.prototype.bind = function (bind, args) {
    var self = this;
    return function () { return self.apply(bind || null, args === undefined ? arguments : $splat(args)); };
  };
  Function.prototype.pass = function (args, bind) { return this.bind(bind, args); };
  Function.prototype.delay = function (ms, bind, args) { return setTimeout(this.bind(bind, args), ms); };
  Function.prototype.periodical = function (ms, bind, args) { return setInterval(this.bind(bind, args), ms); };
  Function.prototype.run = function (args, bind) { return this.apply(bind, $splat(args)); };
  extend(Array.prototype, {
    filter: function (fn, bind) { var results = []; for (var i = 0, l = this.length; i < l; i++) if (fn.call(bind, this[i], i, this)) results.push(this[i]); return results; },
    each: Array.prototype.forEach,
    clean: function () { return this.filter(function (o) { return o != undefined; }); },
    associate: function (keys) { var o = {}; for (var i = 0; i < keys.length; i++) o[keys[i]] = this[i]; return o; },
    contains: function (item, from) { return this.indexOf(item, from) != -1; },
    include: function (item) { if (!this.contains(item)) this.push(item); return this; },
    extend: function (array) { for (var i = 0; i < array.length; i++) this.push(array[i]); return this; },
    getLast: function () { return this.length ? this[this.length - 1] : null; },
    erase: function (item) { for (var i = this.length; i--; ) if (this[i] === item) this.splice(i, 1); return this; },
    empty: function () { this.length = 0; return this; },
    flatten: function () { var a = []; for (var i = 0; i < this.length; i++) a = a.concat(this[i] instanceof Array ? this[i].flatten() : this[i]); return a; }
  });
  extend(String.prototype, {
    test: function (regex) { return new RegExp(regex).test(this); },
    contains: function (s) { return this.indexOf(s) > -1; },
    clean: function () { return this.replace(/\\s+/g, ' ').trim(); }
  });
})();`;

/** MooTools 1.4 with More: types with `from`, and dates of its own. */
const MOOTOOLS_1_4 = `(function () {${EXTEND}
  var slice = Array.prototype.slice, toString = Object.prototype.toString;
  function isEnumerable(item) { return item != null && typeof item.length == 'number' && toString.call(item) != '[object Function]'; }
  Array.from = function (item) {
    if (item == null) return [];
    return isEnumerable(item) && typeof item != 'string' ? (item instanceof Array ? item : slice.call(item)) : [item];
  };
  Number.from = function (item) { var number = parseFloat(item); return isFinite(number) ? number : null; };
  String.from = function (item) { return item + ''; };
  Function.from = function (item) { return typeof item == 'function' ? item : function () { return item; }; };
  extend(Object, {
    keys: function (object) { var keys = []; for (var k in object) if (Object.prototype.hasOwnProperty.call(object, k)) keys.push(k); return keys; },
    values: function (object) { var values = []; for (var k in object) if (Object.prototype.hasOwnProperty.call(object, k)) values.push(object[k]); return values; },
    map: function (object, fn) { var results = {}; for (var k in object) results[k] = fn(object[k], k); return results; },
    each: function (object, fn) { for (var k in object) fn(object[k], k); },
    merge: function (source) { return source; },
    length: function (object) { return Object.keys(object).length; }
  });
  extend(Array.prototype, {
    each: Array.prototype.forEach,
    invoke: function (name) { return this.map(function (item) { return item[name](); }); },
    contains: function (item) { return this.indexOf(item) != -1; },
    include: function (item) { if (!this.contains(item)) this.push(item); return this; },
    append: function (array) { this.push.apply(this, array); return this; },
    sum: function () { var n = 0; for (var i = this.length; i--; ) n += this[i]; return n; },
    pick: function () { for (var i = 0; i < this.length; i++) if (this[i] != null) return this[i]; return null; }
  });
  var parse = Date.parse;
  Date.now = function () { return +new Date(); };
  Date.parse = function (from) { return from instanceof Date ? from : new Date(typeof from == 'number' ? from : parse(from)); };
  extend(Date.prototype, {
    format: function () { return this.toString(); },
    clone: function () { return new Date(this.getTime()); },
    toJSON: function () { var z = this.getTimezoneOffset(); return new Date(this.getTime() - z * 60000).toISOString().replace('Z', ''); },
    get: function (what) { return this['get' + what](); },
    diff: function (other) { return other - this; }
  });
  window.DOMEvent = function (event) { this.event = event; };
})();`;

/** json2.js of 2008, where somebody forces it upon browsers that have JSON: each type has a `toJSON`. */
const JSON2 = `(function () {
  function f(n) { return n < 10 ? '0' + n : n; }
  Date.prototype.toJSON = function (key) {
    return isFinite(this.valueOf()) ? this.getUTCFullYear() + '-' + f(this.getUTCMonth() + 1) + '-' + f(this.getUTCDate()) + 'T' +
      f(this.getUTCHours()) + ':' + f(this.getUTCMinutes()) + ':' + f(this.getUTCSeconds()) + 'Z' : null;
  };
  String.prototype.toJSON = Number.prototype.toJSON = Boolean.prototype.toJSON = function (key) { return this.valueOf(); };
  Object.prototype.toJSONString = function () { return JSON.stringify(this); };
  Array.prototype.toJSONString = function () { return JSON.stringify(this); };
  String.prototype.parseJSON = function () { return JSON.parse(this); };
})();`;

/** Datejs: `Date` reads and writes text its own way. */
const DATEJS = `(function () {
  var nativeToString = Date.prototype.toString, nativeParse = Date.parse;
  Date.parse = function (text) { var at = nativeParse(text); return isNaN(at) ? null : new Date(at); };
  Date.today = function () { var d = new Date(); d.setHours(0, 0, 0, 0); return d; };
  Date.prototype.toString = function (format) { return format ? String(this.getFullYear()) : nativeToString.call(this); };
  Date.prototype.toISOString = function () {
    function p(n) { return n < 10 ? '0' + n : n; }
    return '"' + this.getUTCFullYear() + '-' + p(this.getUTCMonth() + 1) + '-' + p(this.getUTCDate()) + 'T' + p(this.getUTCHours()) + ':' + p(this.getUTCMinutes()) + ':' + p(this.getUTCSeconds()) + 'Z"';
  };
  Date.prototype.getTimezone = function () { return 'GMT'; };
  Date.prototype.clone = function () { return new Date(this.getTime()); };
  Date.prototype.add = function (config) { return this; };
})();`;

/** Sugar and its like: helpers on everything, and each of them can be seen by `for … in`. */
const SUGAR = `(function () {
  var helpers = { each: 1, map: 1, min: 1, max: 1, sum: 1, isEmpty: 1, isEqual: 1, merge: 1, clone: 1, size: 1, keys: 1, values: 1, has: 1, get: 1, set: 1, select: 1, reject: 1, find: 1, watch: 1, fromQueryString: 1 };
  for (var name in helpers) (function (name) { Object.prototype[name] = function () { return name; }; })(name);
  Array.prototype.at = function () { return this; };
  Array.prototype.add = function (item) { return this.concat(item); };
  Array.prototype.remove = function (item) { return this.filter(function (o) { return o !== item; }); };
  Array.prototype.includes = function (match) { return this.some(function (o) { return o === match; }); };
  Array.prototype.findIndex = function (match) { for (var i = 0; i < this.length; i++) if (match === this[i] || (typeof match == 'function' && match(this[i]))) return i; return -1; };
  String.prototype.at = function (i) { return this.charAt(i); };
  String.prototype.padStart = String.prototype.padLeft = function (n, by) { return by + this; };
  Number.prototype.round = function () { return Math.round(this); };
})();`;

/** Polyfills of 2008, which ask nobody whether they are needed, and do half of what they should. */
const POLYFILLS = `(function () {
  Object.keys = function (o) { var keys = []; for (var k in o) if (o.hasOwnProperty(k)) keys.push(k); return keys; };
  Object.entries = function (o) { var entries = []; for (var k in o) entries.push([k, o[k]]); return entries; };
  Object.values = function (o) { var values = []; for (var k in o) values.push(o[k]); return values; };
  Object.assign = function (to) { for (var i = 1; i < arguments.length; i++) for (var k in arguments[i]) to[k] = arguments[i][k]; return to; };
  Object.create = function (proto) { function F() {} F.prototype = proto; return new F(); };
  Array.isArray = function (o) { return o instanceof Array; };
  Array.prototype.map = function (fn) { var r = []; for (var i = 0; i < this.length; i++) r.push(fn(this[i])); return r; };
  Array.prototype.forEach = function (fn) { for (var i = 0; i < this.length; i++) fn(this[i]); };
  Array.prototype.filter = function (fn) { var r = []; for (var i = 0; i < this.length; i++) if (fn(this[i])) r.push(this[i]); return r; };
  Array.prototype.indexOf = function (x) { for (var i in this) if (this[i] == x) return +i; return -1; };
  Array.prototype.find = function (fn) { for (var i in this) if (fn(this[i])) return this[i]; return null; };
  String.prototype.trim = function () { return this.replace(/^ +| +$/g, ''); };
  String.prototype.startsWith = function (s) { return this.indexOf(s) == 0; };
  Number.isFinite = isFinite;
  Number.isInteger = function (n) { return parseInt(n) == n; };
  Function.prototype.bind = function (self) { var fn = this; return function () { return fn.apply(self, arguments); }; };
})();`;

/** Each by its name: a script that does what the library does. */
export const LIBRARIES: Readonly<Record<string, string>> = {
  'Prototype.js 1.6': PROTOTYPE_1_6,
  'Prototype.js 1.7': PROTOTYPE_1_7,
  'MooTools 1.2': MOOTOOLS_1_2,
  'MooTools 1.4 with its dates': MOOTOOLS_1_4,
  'json2.js': JSON2,
  Datejs: DATEJS,
  'helpers on Object.prototype': SUGAR,
  'polyfills of 2008': POLYFILLS,
};
