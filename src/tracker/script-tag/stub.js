// The line that pages have before the tracker's script: it queues calls until the script has loaded.
// ES5, which the editors of tag managers ask for, and small: each page of a site has it. Built from this file, minified, in the
// README and wherever else it stands; test/stub.test.ts holds them all against it, and says the line anew after a change.
(function (relay, left) {
  // As the value is now, since the page may change it before the script has loaded: plain objects of any realm, and arrays.
  // All else as it is, and so is a value that can't be read, or is one too many: of a circle there would be no end.
  function copy(value, kept) {
    try {
      return left-- < 1
        ? value
        : // Not by its keys: those of Prototype.js 1.6 have inherited names among them.
          Array.isArray(value)
          ? value.map(copy)
          : Object.getPrototypeOf(Object.getPrototypeOf(value) || value)
            ? value
            : // On no prototype: `__proto__` is a name like any other, and a frozen `Object.prototype` forbids none.
              ((kept = Object.create(null)),
              Object.keys(value).map(function (key) {
                kept[key] = copy(value[key]);
              }),
              kept);
    } catch (e) {
      return value;
    }
  }
  // A tracker or stub that is there stays.
  if (!relay.track) {
    relay.queue = [];
    'flush reset use track identify stats on optIn optOut'.split(' ').map(function (name) {
      relay[name] = function (args) {
        left = 999;
        args = copy([].slice.call(arguments));
        args = new Promise(function (resolve, reject) {
          relay.queue.push([name, args, +new Date(), resolve, reject, location.href]);
          // The page goes on without the script. Should it come after all, it makes the call.
          setTimeout(reject, 5e3, Error('webengageRelay did not load'));
        });
        // Where nobody awaits the promise, its end is no error of the page's.
        args.then(0, copy);
        return args;
      };
    });
  }
})((window.webengageRelay = window.webengageRelay || Object.create(null)));
