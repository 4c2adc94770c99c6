import type { Sdk } from './sdk.ts';

/** An event that goes to the SDK instead of the relay. */
export type ForwardedEvent = { readonly eventName: string; readonly eventData: object };

/** Everything that forwarded events need from outside. */
export type ForwardPorts = {
  readonly sdk: () => Sdk | undefined;
  /** Whether the visitor has consented, and the SDK knows who it is. */
  readonly isAllowed: () => boolean;
  readonly timer: (run: () => void, afterMs: number) => unknown;
  readonly toRelay: (event: ForwardedEvent) => void;
  readonly report: (trouble: string) => void;
};

export type ForwardedEvents = {
  readonly add: (event: ForwardedEvent) => void;
  /** Passes the waiting events to the SDK, if it is ready and the visitor has consented. */
  readonly pass: () => void;
  /** Sends the waiting events to the relay instead of the SDK. */
  readonly release: () => void;
  readonly discard: () => void;
};

/**
 * Passes each event to the SDK or, if the SDK fails or is not ready within `waitMs`, to the relay. Never to both.
 * Nothing is given to the SDK's stub: if the SDK never came, the event would be lost in its queue, and if it came
 * late, the event would count twice.
 */
export function forwardedEvents(waitMs: number, ports: ForwardPorts): ForwardedEvents {
  const { sdk, isAllowed, timer, toRelay, report } = ports;
  let waiting: readonly ForwardedEvent[] = [];

  const takeAll = () => {
    const all = waiting;
    waiting = [];
    return all;
  };

  function pass(): void {
    const ready = sdk();
    if (!ready || !isAllowed()) return;
    for (const event of takeAll())
      try {
        ready.track(event.eventName, event.eventData);
      } catch {
        report('webengage.track failed, so the event goes to the relay');
        toRelay(event);
      }
  }

  return {
    add: (event) => {
      waiting = [...waiting, event];
      pass();
      if (!waiting.includes(event)) return;
      timer(() => {
        if (!waiting.includes(event)) return;
        waiting = waiting.filter((other) => other !== event);
        report(`WebEngage's SDK was not ready in ${waitMs} ms, so the event goes to the relay`);
        toRelay(event);
      }, waitMs);
    },
    pass,
    release: () => takeAll().forEach(toRelay),
    discard: () => void takeAll(),
  };
}
