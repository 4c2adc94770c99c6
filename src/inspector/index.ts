import { defineInspector, type RelayInspector } from './define.ts';

export type { RelayInspector } from './define.ts';
export type { InspectedTracker } from './subscribe.ts';

declare global {
  interface HTMLElementTagNameMap {
    'relay-inspector': RelayInspector;
  }
}

defineInspector();
