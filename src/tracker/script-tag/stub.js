// The line that pages have before the tracker's script: it queues calls until the script has loaded.
// It is ES5, which the editors of tag managers require, and small, because each page of a site has it. This
// file is minified into the README and everywhere else that shows it. test/stub.test.ts compares them all,
// and prints the new line after a change.
(function (relay, left) {
  // Copies a value as it is now, since the page may change it before the script has loaded: arrays, and plain
  // objects of any realm. Everything else stays as it is. So does a value that can't be read, or that exceeds
  // the limit: a circle would have no end.
  function copy(value, kept) {
    try {
      return left-- < 1
        ? value
        : // Not by its keys: those of Prototype.js 1.6 include inherited names.
          Array.isArray(value)
          ? value.map(copy)
          : Object.getPrototypeOf(Object.getPrototypeOf(value) || value)
            ? value
            : // No prototype: `__proto__` is a name like any other, and a frozen `Object.prototype` forbids none.
              ((kept = Object.create(null)),
              Object.keys(value).map(function (key) {
                kept[key] = copy(value[key]);
              }),
              kept);
    } catch (e) {
      return value;
    }
  }
  // A tracker or stub that is already there stays.
  if (!relay.track) {
    relay.queue = [];
    'flush reset use track identify stats on optIn optOut'.split(' ').map(function (name) {
      relay[name] = function (args) {
        left = 999;
        args = copy([].slice.call(arguments));
        args = new Promise(function (resolve, reject) {
          relay.queue.push([name, args, +new Date(), resolve, reject, location.href]);
          // The page goes on without the script. If it loads after all, it makes the call.
          setTimeout(reject, 5e3, Error('webengageRelay did not load'));
        });
        // If no one awaits the promise, its rejection must not be an error of the page.
        args.then(0, copy);
        return args;
      };
    });
  }
})((window.webengageRelay = window.webengageRelay || Object.create(null)));
