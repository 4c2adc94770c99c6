import type { ServerPlatform } from '../../server/platform.ts';

/** Why a run ends before its last row. */
export type Halted =
  | { readonly kind: 'interrupted' }
  /** The message names the problem and the remedy. */
  | { readonly kind: 'failed'; readonly message: string };

/** Ends a run: nothing more is sent, and calls under way get a moment for their answers. */
export type Halt = {
  readonly signal: AbortSignal;
  /** The first reason stays. */
  readonly stop: (reason: Halted) => void;
  readonly reason: () => Halted | undefined;
};

export function createHalt(): Halt {
  const controller = new AbortController();
  let first: Halted | undefined;
  return {
    signal: controller.signal,
    stop: (reason) => {
      first ??= reason;
      controller.abort();
    },
    reason: () => first,
  };
}

/** Waits, unless a signal ends that. */
export function sleep(time: ServerPlatform['time'], ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = time.timer(end, ms);
    signal.addEventListener('abort', end);
  });
}
