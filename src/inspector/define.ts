import { createController } from './controller.ts';
import type { InspectedTracker } from './subscribe.ts';

export const NAME = 'relay-inspector';

/** The element `<relay-inspector>`. */
export type RelayInspector = HTMLElement & {
  /** The tracker to look at. Undefined: the one that a script tag has left on the page. */
  tracker: InspectedTracker | undefined;
};

/**
 * Defines the element, once. Without a DOM it does nothing, so server rendering may call it.
 *
 * @param ownOrigin the origin of the inspector's own script, if it is one: most likely a relay
 */
export function defineInspector(ownOrigin?: string): void {
  if (!globalThis.customElements || customElements.get(NAME)) return;
  customElements.define(
    NAME,
    class extends HTMLElement implements RelayInspector {
      static readonly observedAttributes = ['open'];
      readonly #controller = createController(this, ownOrigin);

      get tracker(): InspectedTracker | undefined {
        return this.#controller.tracker;
      }

      set tracker(tracker: InspectedTracker | undefined) {
        this.#controller.tracker = tracker;
      }

      connectedCallback(): void {
        // A value that was set before the element was defined is an own property, which hides the accessor.
        if (Object.hasOwn(this, 'tracker')) {
          const { tracker } = this;
          Reflect.deleteProperty(this, 'tracker');
          this.tracker = tracker;
        }
        this.#controller.start();
      }

      disconnectedCallback(): void {
        this.#controller.stop();
      }

      attributeChangedCallback(): void {
        this.#controller.open(this.hasAttribute('open'));
      }
    },
  );
}
