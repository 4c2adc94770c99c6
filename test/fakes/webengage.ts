import type { TrackerRecord } from '../../src/contract/record.ts';
import { type Arrival, profilesOf } from '../../src/sandbox/sdk/profiles.ts';
import type { SdkCall } from '../../src/sandbox/sdk/sdk-call.ts';
import type { SdkSwitches } from '../../src/sandbox/sdk/sdk-switches.ts';
import { type QueuedSdkCall, simulateSdk } from '../../src/sandbox/sdk/simulated-sdk.ts';
import { anonymousId, LOGINS_KEY } from '../../src/tracker/add-ons/supplied-id.ts';
import { type JoinOptions, joinOn } from '../../src/webengage/join.ts';
import { sdkAnonymousId } from '../../src/webengage/sdk.ts';
import { fakeBrowser, quiet } from './browser/browser.ts';
import { dedupingRelay } from './deduping-relay.ts';
import { fakeTime } from './platform.ts';

/** How long the relay takes to pass on what it has accepted. */
const RELAY_MS = 1_500;

const SWITCHES: SdkSwitches = {
  anonymousBefore: 'merged',
  anonymousAfter: 'merged',
  idAfterLogout: 'new',
  idAfterLogin: 'answers',
};

/** The stub that a page has until the SDK's script has loaded. */
function sdkStub(queue: QueuedSdkCall[]) {
  const queued =
    (path: string) =>
    (...args: unknown[]) =>
      void queue.push([path, args]);
  return {
    onReady: queued('onReady'),
    track: queued('track'),
    user: { login: queued('user.login'), logout: queued('user.logout') },
  };
}

export type PageOptions = JoinOptions & {
  /** After how many milliseconds the SDK has loaded. Undefined: it never does. */
  readonly sdkAfterMs?: number | undefined;
  /** Its page has no stub either. */
  readonly hasNoStub?: boolean;
};

/**
 * A browser with pages that have a tracker and WebEngage's SDK, a relay, and the account that both lead to.
 */
export function webEngageWorld(switches: Partial<SdkSwitches> = {}) {
  const all = { ...SWITCHES, ...switches };
  const time = fakeTime();
  const { relay, replies, arrived } = dedupingRelay(time);
  const arrivals: Arrival[] = [];
  const log: string[] = [];
  const tokens: (string | undefined)[] = [];
  const warnings: string[] = [];
  const unmerged: number[] = [];
  const kept = new Map<string, string>();
  const trouble = { track: false, login: false, logout: false };
  let luids = 0;
  let passed = 0;

  const fetch: typeof relay.fetch = async (...request) => {
    try {
      return await relay.fetch(...request);
    } finally {
      const records = [...arrived.values()].slice(passed).map(({ record }) => record);
      passed = arrived.size;
      time.timer(() => arrivals.push(...records.map(toArrival)), RELAY_MS);
    }
  };
  const browser = fakeBrowser({ relay: { ...relay, fetch }, time, hasFallback: true });

  const memory = {
    luid: () => kept.get('we_luid'),
    setLuid: (luid: string) => void kept.set('we_luid', luid),
    user: () => kept.get('user'),
    setUser: (userId: string | undefined) => void (userId ? kept.set('user', userId) : kept.delete('user')),
  };

  function startSdk(queue: readonly QueuedSdkCall[]) {
    const send = (call: SdkCall) => {
      arrivals.push({ from: 'sdk', call });
    };
    const sdk = simulateSdk({ memory, newId: () => `luid-${++luids}`, send, switches: all }, queue);
    const fails = (name: keyof typeof trouble) => {
      if (trouble[name]) throw new Error(`${name} of somebody failed`);
    };
    return {
      ...sdk,
      track: (...args: Parameters<typeof sdk.track>) => {
        fails('track');
        sdk.track(...args);
      },
      user: {
        ...sdk.user,
        login: (userId: string, token?: string) => {
          fails('login');
          tokens.push(token);
          log.push(`login ${userId}`);
          sdk.user.login(userId, token);
        },
        logout: () => {
          fails('logout');
          log.push('logout');
          sdk.user.logout();
        },
      },
    };
  }

  function open({ sdkAfterMs, hasNoStub, ...options }: PageOptions = {}) {
    let lives = true;
    const queue: QueuedSdkCall[] = [];
    const page: { webengage: unknown } = { webengage: hasNoStub ? undefined : sdkStub(queue) };
    const hidden: (() => void)[] = [];
    const place = {
      sdk: () => (lives ? page.webengage : undefined),
      timer: (run: () => void, afterMs: number) => time.timer(() => lives && run(), afterMs),
    };
    // As in a browser: the SDK's cookie is there before its script.
    const fromSdk = sdkAnonymousId(place);
    const source = () => fromSdk() || memory.luid();
    const opened = browser.open({ plugins: [anonymousId(source)] });
    opened.tracker.on('unmerged', ({ waitedMs }) => unmerged.push(waitedMs));
    const end = joinOn(opened.tracker, options, {
      ...place,
      now: time.mono,
      storage: {
        get: () => browser.map.get(LOGINS_KEY),
        set: (text) => void (lives && browser.map.set(LOGINS_KEY, text)),
      },
      whenHidden: (run) => hidden.push(run),
      warn: (text) => warnings.push(text),
    });
    const load = () => {
      page.webengage = startSdk(queue.splice(0));
    };
    if (sdkAfterMs !== undefined) place.timer(load, sdkAfterMs);

    const hide = () => {
      opened.hide();
      for (const run of hidden) run();
    };
    return {
      tracker: opened.tracker,
      page,
      load,
      end,
      hide,
      show: opened.show,
      reported: opened.reported,
      /** Goes to another page: the browser says so first. */
      leave: async () => {
        hide();
        await quiet();
        lives = false;
        await opened.crash(3);
      },
      kill: async () => {
        lives = false;
        await opened.crash();
      },
    };
  }

  return {
    open,
    time,
    replies,
    arrived,
    arrivals,
    /** The logins and logouts that the SDK was told, in order. */
    log,
    tokens,
    warnings,
    unmerged,
    trouble,
    memory,
    /** What the join keeps in `localStorage`. */
    logins: () => browser.map.get(LOGINS_KEY),
    browser,
    profiles: () => profilesOf(arrivals, all),
    /** The events of each profile, with where they came from. Anonymous ones by their ids. */
    people: () => {
      const { profiles } = profilesOf(arrivals, all);
      return Object.fromEntries(
        profiles.map(({ userId, anonymousId = '', events }) => [
          userId ?? anonymousId,
          events.map(({ eventName, from }) => `${eventName} ${from}`),
        ]),
      );
    },
  };
}

function toArrival({ kind: _, id: __, ...record }: TrackerRecord): Arrival {
  return { from: 'rest', record };
}
