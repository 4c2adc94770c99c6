/*
 * The calls of this tab: every one has a number, and only those that the tracker has promised to keep are made.
 * Lies in sessionStorage, so that a reload goes on counting.
 */
const KEPT_AS = 'demo-ledger';

const blank = () => ({ ranges: [], settled: 0, open: [], interrupted: [], found: 0 });

const ledger = { ...blank(), ...JSON.parse(sessionStorage.getItem(KEPT_AS) ?? '{}') };
// A reload came between call and promise: nobody knows whether these were kept until they are found.
ledger.interrupted.push(...ledger.open);
ledger.open = [];
beginRange();

/** Each page load numbers from a random start: a tab that was duplicated must not use the same numbers. */
function beginRange() {
  const first = 1 + Math.floor(Math.random() * 2 ** 40);
  ledger.ranges.push({ first, next: first });
  save();
}

function save() {
  sessionStorage.setItem(KEPT_AS, JSON.stringify(ledger));
}

function close(number) {
  const index = ledger.open.indexOf(number);
  // Opened before the count started anew: no longer counted.
  if (index === -1) return false;
  ledger.open.splice(index, 1);
  return true;
}

/** A number for a call that is about to be made. */
export function openCall() {
  const range = ledger.ranges.at(-1);
  const number = range.next;
  range.next += 1;
  ledger.open.push(number);
  save();
  return number;
}

/** The promise of the call has resolved: its record must arrive. */
export function callKept(number) {
  if (close(number)) ledger.settled += 1;
  save();
}

/** The call was refused with an error: it made no record. */
export function callRefused(number) {
  close(number);
  save();
}

export function isOurs(number) {
  return ledger.ranges.some(({ first, next }) => number >= first && number < next);
}

/** How many calls were made, given which numbers have arrived; `open` ones have no promise yet. */
export function callsMade(arrived) {
  const found = [...ledger.interrupted, ...ledger.open].filter((number) => arrived.has(number));
  return ledger.settled + found.length;
}

export function callsOpen() {
  return ledger.open.length;
}

/** So many of ours are at the other end. Fewer than before: it was emptied, and the count starts anew. */
export function callsFound(count) {
  if (count === ledger.found) return;
  if (count < ledger.found) {
    Object.assign(ledger, blank());
    beginRange();
  } else {
    ledger.found = count;
    save();
  }
}
