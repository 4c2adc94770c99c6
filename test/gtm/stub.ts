import { readFileSync } from 'node:fs';

type Queued = readonly [
  method: string,
  call: readonly unknown[],
  at: number,
  resolve: unknown,
  reject: unknown,
  address?: string,
];

/** What a page has before the tracker has loaded. */
export type Relay = { queue: Queued[]; options?: { [name: string]: unknown }; [name: string]: unknown };

const source = readFileSync('src/tracker/script-tag/stub.js', 'utf8');

/** Puts the real stub into a window. */
export function putStub(window: { [name: string]: unknown }): Relay {
  const location = { href: 'https://shop.example.com/cart' };
  // No call is ever taken here: its time limit would end it in a later test.
  const setTimeout = () => 0;
  new Function('window', 'location', 'setTimeout', source)(window, location, setTimeout);
  return window.webengageRelay as Relay;
}

/** The calls that wait in a window, each as its method and its arguments. */
export function callsIn(window: { [name: string]: unknown }): readonly (readonly unknown[])[] {
  const relay = window.webengageRelay as Relay | undefined;
  return (relay?.queue ?? []).map(([method, call]) => [method, ...call]);
}
