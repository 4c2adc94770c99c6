import { type JoinedTracker, type JoinOptions, joinWebEngage } from './join.ts';
import type { LoginToken } from './logins.ts';

type Relay = JoinedTracker & { readonly queue?: unknown[]; readonly webEngage?: JoinOptions };

const page = globalThis as { readonly webengageRelay?: Relay; webEngageEnd?: () => void };

/** The global function of this name, looked up at each call. */
function namedFunction(name: string): LoginToken {
  return (userId) => (Reflect.get(globalThis, name) as LoginToken)(userId);
}

/**
 * The settings in the attributes of the script's own tag. A module, a bundle or an inline script has no such
 * tag, so this throws there.
 */
function attributeOptions(): JoinOptions {
  const { src, dataset } = (document.currentScript ?? {}) as HTMLScriptElement;
  if (!/webengage/.test(src))
    throw new Error('webengage.js needs its own script tag, or webengageRelay.webEngage');
  const { forward, login, wait } = dataset;
  return {
    ...(forward && { forward: forward.split(',') }),
    ...(login && { login: namedFunction(login) }),
    ...(wait && { wait: Number(wait) }),
  };
}

// A page loads this twice if a template and a tag manager both add it.
if (!page.webEngageEnd) {
  const { webengageRelay } = page;
  if (!webengageRelay?.track) throw new Error('webengage.js must come after the line that queues calls');
  // Calls that wait for the tracker's script are made after this one has joined it.
  const calls = webengageRelay.queue?.splice(0) ?? [];
  page.webEngageEnd = joinWebEngage(webengageRelay, webengageRelay.webEngage ?? attributeOptions());
  for (const call of calls) webengageRelay.queue?.push(call);
}
