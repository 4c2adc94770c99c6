const AT_MOST = 25;
const TRAVEL_MS = 650;
const APART_MS = 28;
const prefersStill = matchMedia('(prefers-reduced-motion: reduce)');

// What sets out in one frame is one flow: 200 calls of one click are 200 travellers, and not 200 flows of one.
const settingOut = new Map();

/** Sends dots down the line from one station to the next: one a record, up to a number one can follow. */
export function travel(station, records) {
  if (prefersStill.matches || document.hidden) return;
  if (settingOut.size === 0) requestAnimationFrame(setOut);
  settingOut.set(station, (settingOut.get(station) ?? 0) + records);
}

function setOut() {
  for (const [station, records] of settingOut)
    for (let index = 0; index < Math.min(records, AT_MOST); index += 1) sendDot(station, index * APART_MS);
  settingOut.clear();
}

function sendDot(station, delay) {
  const dot = document.createElement('i');
  dot.className = 'dot';
  station.append(dot);
  const way = `translateY(${station.offsetHeight}px)`;
  const moving = dot.animate(
    [
      { transform: 'none', opacity: 0 },
      { opacity: 1, offset: 0.15 },
      { opacity: 1, offset: 0.85 },
      { transform: way, opacity: 0 },
    ],
    { duration: TRAVEL_MS, delay, easing: 'ease-in-out', fill: 'backwards' },
  );
  moving.onfinish = () => dot.remove();
}

const TRAY_HOLDS = 150;

/** Fills a tray with a dot for each record that waits. */
export function fillTray(tray, records) {
  const wanted = Math.min(records, TRAY_HOLDS);
  while (tray.childElementCount > wanted) tray.lastChild.remove();
  while (tray.childElementCount < wanted) tray.append(document.createElement('i'));
}
