// The README's own line: calls made before the script has loaded wait in it. From tracker/script-tag/stub.js.
const STUB =
  '<script>(function(e,t){function n(e,r){try{return t--<1?e:Array.isArray(e)?e.map(n):Object.getPrototypeOf(Object.getPrototypeOf(e)||e)?e:(r=Object.create(null),Object.keys(e).map(function(t){r[t]=n(e[t])}),r)}catch(t){return e}}e.track||(e.queue=[],"flush reset use track identify stats on optIn optOut".split(" ").map(function(r){e[r]=function(o){return t=999,o=n([].slice.call(arguments)),(o=new Promise(function(t,n){e.queue.push([r,o,+new Date,t,n,location.href]),setTimeout(n,5e3,Error("webengageRelay did not load"))})).then(0,n),o}}))})(window.webengageRelay=window.webengageRelay||Object.create(null))</script>';

/** What goes into each page. */
export function scriptTag(relayUrl: string): string {
  return `${STUB}\n<script async src="${relayUrl}/tracker.js"></script>`;
}
