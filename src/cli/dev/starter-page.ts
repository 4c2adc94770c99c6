import { scriptTag } from '../script-tag.ts';

export type FirstPageUrls = { readonly relayUrl: string; readonly sandboxUrl: string };

// What each button says, and does: to the letter.
const CALLS = [
  "webengageRelay.identify('johndoe', { email: 'john@doe.com' })",
  "webengageRelay.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 })",
];

/**
 * A page like anybody's: it has the script tag that goes into each page, to the letter, and a button for each of the two calls.
 * It shows what becomes of them.
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
<p>All it has of the relay is the script tag. What you track here goes to WebEngage, as a sandbox plays it on this machine:
<a href="${sandboxUrl}" target="_blank">see what has arrived</a>.</p>
${buttons.join('\n')}
<output></output>

<script>
  const say = (text) => { document.querySelector('output').textContent += text + '\\n'; };

  // One after the other: which call has made a record is told by how many there are.
  let last = Promise.resolve();
  const follow = (call) => { last = last.then(() => see(call)).catch((error) => say(String(error))); };
  async function see(call) {
    const before = await webengageRelay.stats();
    await call();
    const after = await webengageRelay.stats();
    say(after.tracked > before.tracked
      ? 'kept in this browser: sent within 5 s, or as you leave the page'
      : 'no record: this browser has said the same of this user before (skipRepeatedIdentify)');
  }
  webengageRelay.on('delivered', ({ ids }) => say('stored by the relay: ' + ids.length));
  webengageRelay.on('repaired', ({ path, rule, done }) => say(done.replace('_', ' ') + ': ' + path + ' ' + rule));
  webengageRelay.on('rejected', ({ issues: [{ path, message }] }) => say('refused by the relay: ' + path + ' ' + message));
  webengageRelay.on('retrying', ({ reason }) => say('kept, and tried again: ' + reason));

  let known;
  setInterval(async () => {
    const answer = await fetch('${sandboxUrl}/counts').catch(() => undefined);
    if (answer === undefined) return; // Ended. What is tracked now is kept, and arrives when it runs again.
    const { users, events } = await answer.json();
    const counted = 'at WebEngage: ' + users + ' by identify, ' + events + ' by track';
    if (known !== undefined && known !== counted) say(counted);
    known = counted;
  }, 500);
</script>
</html>
`;
}
