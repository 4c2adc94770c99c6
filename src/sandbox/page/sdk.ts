import { type QueuedSdkCall, type SdkPorts, simulateSdk } from '../sdk/simulated-sdk.ts';

// The script that a page loads in place of WebEngage's: it talks to the sandbox that has served it.

const page = globalThis as { webengage?: { readonly __queue?: readonly QueuedSdkCall[] } | undefined };

const { origin } = new URL((document.currentScript as HTMLScriptElement).src);

const LUID = /(?:^|; )we_luid=([^;]*)/;
const USER_KEY = 'simulated-webengage-user';

const memory: SdkPorts['memory'] = {
  luid: () => LUID.exec(document.cookie)?.[1],
  setLuid: (luid) => {
    // biome-ignore lint/suspicious/noDocumentCookie: as the real SDK does; not every browser has a cookieStore.
    document.cookie = `we_luid=${luid}; path=/; max-age=31536000; samesite=lax`;
  },
  user: () => localStorage.getItem(USER_KEY) ?? undefined,
  setUser: (userId) => {
    if (userId === undefined) localStorage.removeItem(USER_KEY);
    else localStorage.setItem(USER_KEY, userId);
  },
};

/** How the sandbox has been told to behave. */
async function readSwitches(): Promise<SdkPorts['switches']> {
  return (await fetch(`${origin}/control`)).json();
}

async function start(): Promise<void> {
  const switches = await readSwitches();
  const queue = page.webengage?.__queue ?? [];
  const send: SdkPorts['send'] = (call) =>
    void fetch(`${origin}/sdk`, { method: 'POST', body: JSON.stringify(call), keepalive: true });
  // A new object in the stub's place.
  page.webengage = undefined;
  const sdk = simulateSdk({ memory, newId: () => `luid-${crypto.randomUUID()}`, send, switches }, queue);
  Object.assign(page, { webengage: sdk });
}

void start();
