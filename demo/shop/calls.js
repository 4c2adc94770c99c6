import { callKept, callRefused, openCall } from './live/ledger.js';

/*
 * The tracker, as the whole shop calls it. Always by its global name: until its script has loaded, the stub in
 * index.html stands there and keeps the calls.
 */

/** The attribute by which a call is found again at the other end. */
export const CALL_NUMBER = 'Demo call';

const page = new EventTarget();

/** Listens to calls that became durable, with what they said. */
export function onCall(listener) {
  page.addEventListener('call', ({ detail }) => listener(detail));
}

async function counted(what, call) {
  const number = openCall();
  try {
    await call(number);
    callKept(number);
    page.dispatchEvent(new CustomEvent('call', { detail: what }));
  } catch (error) {
    callRefused(number);
    console.error(`${what} was refused:`, error);
  }
}

export function track(eventName, eventData) {
  return counted(eventName, (number) =>
    globalThis.webengageRelay.track(eventName, { ...eventData, [CALL_NUMBER]: number }),
  );
}

/** Signs someone in. With a number it always says something new, so it always makes a record. */
export function identify({ userId, profile }) {
  return counted(`Signed in as ${profile.firstName}`, (number) =>
    globalThis.webengageRelay.identify(userId, {
      ...profile,
      attributes: { ...profile.attributes, [CALL_NUMBER]: number },
    }),
  );
}

/** Says again who is there, as sites do on every page. Says nothing new, so no record is made of it. */
export function identifyAgain({ userId, profile }) {
  return globalThis.webengageRelay.identify(userId, profile);
}

export function reset() {
  return globalThis.webengageRelay.reset();
}

export function on(name, listener) {
  return globalThis.webengageRelay.on(name, listener);
}

export function stats() {
  return globalThis.webengageRelay.stats();
}
