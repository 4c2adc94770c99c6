// The README's own line, to the letter: calls made before the script has loaded wait in it.
const STUB =
  '<script>(q=>{webengageRelay={queue:q};for(const m of["identify","track","reset","flush","stats","optOut","optIn","on","use"])webengageRelay[m]=(...a)=>new Promise((y,n)=>q.push([m,a,Date.now(),y,n,location.href]))})([])</script>';

/** What goes into each page. */
export function scriptTag(relayUrl: string): string {
  return `${STUB}\n<script async src="${relayUrl}/tracker.js"></script>`;
}
