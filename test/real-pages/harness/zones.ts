/**
 * Zone.js as Angular has it, small: each timer belongs to the zone it was made in, and `Zone.root.run` leaves the caller's.
 * `pendingIn('angular')` counts timers that have yet to run; `made` counts all there ever were.
 */
export const ZONES = `(function () {
  function Zone(parent, name) { this.parent = parent; this.name = name; this.pending = 0; this.made = 0; }
  Zone.prototype.fork = function (spec) { return new Zone(this, spec.name); };
  Zone.prototype.run = function (callback, self, args) {
    var before = current;
    current = this;
    try { return callback.apply(self, args || []); } finally { current = before; }
  };
  Zone.prototype.runGuarded = Zone.prototype.run;
  Zone.prototype.wrap = function (callback) { var zone = this; return function () { return zone.run(callback, this, arguments); }; };
  var root = new Zone(null, '<root>'), current = root, live = {};
  Object.defineProperty(Zone, 'current', { get: function () { return current; } });
  Object.defineProperty(Zone, 'root', { get: function () { return root; } });
  Zone.__symbol__ = function (name) { return '__zone_symbol__' + name; };
  ['setTimeout', 'setInterval'].forEach(function (name) {
    var native = window[name], once = name === 'setTimeout';
    window[Zone.__symbol__(name)] = native;
    window[name] = function (callback, ms) {
      var zone = current, args = Array.prototype.slice.call(arguments, 2);
      zone.pending++; zone.made++;
      var id = native.call(window, function () {
        if (once && live[id]) { delete live[id]; zone.pending--; }
        zone.run(callback, window, args);
      }, ms);
      live[id] = zone;
      return id;
    };
  });
  ['clearTimeout', 'clearInterval'].forEach(function (name) {
    var native = window[name];
    window[Zone.__symbol__(name)] = native;
    window[name] = function (id) {
      if (live[id]) { live[id].pending--; delete live[id]; }
      return native.call(window, id);
    };
  });
  var then = Promise.prototype.then;
  window[Zone.__symbol__('Promise')] = Promise;
  Promise.prototype.then = function (y, n) {
    var zone = current;
    function inZone(f) { return typeof f === 'function' ? function (v) { return zone.run(f, undefined, [v]); } : f; }
    return then.call(this, inZone(y), inZone(n));
  };
  var add = EventTarget.prototype.addEventListener;
  EventTarget.prototype[Zone.__symbol__('addEventListener')] = add;
  EventTarget.prototype.addEventListener = function (name, listener, options) {
    var zone = current;
    var wrapped = typeof listener === 'function' ? function (event) { return zone.run(listener, this, [event]); } : listener;
    return add.call(this, name, wrapped, options);
  };
  window.Zone = Zone;
  window.angularZone = root.fork({ name: 'angular' });
})();`;
