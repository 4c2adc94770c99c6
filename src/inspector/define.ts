import { createController } from './controller.ts';
import type { InspectedTracker } from './subscribe.ts';

export const NAME = 'relay-inspector';

/** The element `<relay-inspector>`. */
export type RelayInspector = HTMLElement & {
  /** The tracker to look at. Undefined: the one that a script tag has left on the page. */
  tracker: InspectedTracker | undefined;
};

/**
 * Defines the element, once. Without a DOM nothing happens: server rendering may call it.
 *
 * @param ownOrigin where the inspector's own script comes from, if it is one: a relay, most likely
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
        // Set before the element was defined, it lies on the element itself, and in the way.
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
