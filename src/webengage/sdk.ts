import { cookieNamed } from '../tracker/add-ons/supplied-id.ts';

/** The calls of WebEngage's own SDK that are used here. None of its other parts is touched. */
export type Sdk = {
  onReady(ready: () => void): unknown;
  track(eventName: string, eventData?: object): unknown;
  readonly user: {
    login(userId: string, token?: string): unknown;
    logout(): unknown;
    getAnonymousId?(): unknown;
  };
};

/** Where to look for the SDK, and a timer. Tests provide their own. */
export type SdkPlace = {
  /** The current value of the page's global `webengage`. It can be anything. */
  readonly sdk: () => unknown;
  readonly timer: (run: () => void, afterMs: number) => unknown;
};

export const pagePlace: SdkPlace = {
  sdk: () => (globalThis as { readonly webengage?: unknown }).webengage,
  timer: (run, afterMs) => setTimeout(run, afterMs),
};

export type SdkWatch = {
  /** The SDK, once it has said that it is ready. */
  readonly get: () => Sdk | undefined;
  /** Looks again, in case a script has put another object in the SDK's place. */
  readonly look: () => void;
};

const LOOK_EVERY_MS = 250;

// Later an SDK is noticed at the next call of the page, or by the `onReady` of its stub.
const LOOKS = 120;

/**
 * Waits for the SDK.
 * Its stub queues what is given to `onReady`. A stub that is replaced may lose it, so each object that appears in its
 * place is asked too.
 *
 * @param ready is called once
 */
export function watchSdk({ sdk, timer }: SdkPlace, ready: () => void): SdkWatch {
  let asked: unknown;
  let isReady = false;

  // The SDK may call before it has taken its stub's place.
  const heard = () =>
    void Promise.resolve().then(() => {
      if (!isReady) {
        isReady = true;
        ready();
      }
    });

  function look(): void {
    // The object is not ours: reading it may throw.
    try {
      const found = sdk() as Sdk | undefined;
      if (isReady || !found || found === asked || typeof found.onReady !== 'function') return;
      asked = found;
      found.onReady(heard);
    } catch {
      // It is asked again at the next look.
      asked = undefined;
    }
  }

  const lookAgain = (left: number): void => {
    look();
    if (!isReady && left > 0) timer(() => lookAgain(left - 1), LOOK_EVERY_MS);
  };
  lookAgain(LOOKS);

  return { get: () => (isReady ? (sdk() as Sdk | undefined) : undefined), look };
}

// Where the SDK keeps the id of the anonymous visitor.
const sdkCookie = cookieNamed('we_luid');

/**
 * Returns the id that WebEngage's SDK has for this browser: from the SDK once it is ready, and before that from its
 * cookie. It does nothing before it is first called.
 */
export function sdkAnonymousId(place: SdkPlace = pagePlace): () => string | undefined {
  let watch: SdkWatch | undefined;
  return () => {
    watch ??= watchSdk(place, () => {});
    const id = watch.get()?.user.getAnonymousId?.();
    return id && typeof id === 'string' ? id : sdkCookie();
  };
}
