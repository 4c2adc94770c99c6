import { scriptTag } from '../script-tag.ts';

export type FirstPageUrls = { readonly relayUrl: string; readonly sandboxUrl: string };

// The label of each button is the code that it runs.
const CALLS = [
  "webengageRelay.identify('johndoe', { email: 'john@doe.com' })",
  "webengageRelay.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 })",
];

/**
 * An ordinary page: the script tag that goes into every page, and a button for each of the two calls.
 * It shows what happens to the records.
 */
export function firstPage({ relayUrl, sandboxUrl }: FirstPageUrls): string {
  const buttons = CALLS.map((call) => `<button onclick="follow(() => ${call})">${call}</button>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A first page</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  button, code, output { font: 14px/1.6 ui-monospace, monospace; }
  button { display: block; margin: .5rem 0; padding: .5rem .75rem; text-align: left; cursor: pointer; }
  output { display: block; white-space: pre-wrap; }
</style>

<!-- These two lines go into each of your pages. -->
${scriptTag(relayUrl)}

<h1>A first page</h1>
<p>This page has only the relay's script tag. A sandbox on this machine simulates WebEngage:
<a href="${sandboxUrl}" target="_blank">see what has arrived</a>.</p>
${buttons.join('\n')}
<output></output>

<script>
  const say = (text) => { document.querySelector('output').textContent += text + '\\n'; };

  // One after the other: the number of records shows whether the call made one.
  let last = Promise.resolve();
  const follow = (call) => { last = last.then(() => see(call)).catch((error) => say(String(error))); };
  async function see(call) {
    const before = await webengageRelay.stats();
    await call();
    const after = await webengageRelay.stats();
    say(after.tracked > before.tracked
      ? 'stored in this browser: sent within 5 s, or when you leave the page'
      : 'no record: this identify says nothing new (skipRepeatedIdentify)');
  }
  webengageRelay.on('delivered', ({ ids }) => say('stored by the relay: ' + ids.length));
  webengageRelay.on('repaired', ({ path, rule, done }) => say(done.replace('_', ' ') + ': ' + path + ' ' + rule));
  webengageRelay.on('rejected', ({ issues: [{ path, message }] }) => say('refused by the relay: ' + (path || 'the record') + ' ' + message));
  webengageRelay.on('retrying', ({ reason }) => say('kept, and will be retried: ' + reason));

  let known;
  setInterval(async () => {
    const answer = await fetch('${sandboxUrl}/counts').catch(() => undefined);
    if (answer === undefined) return; // The sandbox has stopped. Calls made now are kept, and arrive when it runs again.
    const { users, events } = await answer.json();
    const counted = 'at WebEngage: ' + users + ' by identify, ' + events + ' by track';
    if (known !== undefined && known !== counted) say(counted);
    known = counted;
  }, 500);
</script>
</html>
`;
}
