import type { EngineName } from '../engines/engine.ts';
import type { Visit } from '../visit.ts';

/** A piece of a visitor's life in which events are made. The visitor comes back afterwards, and all must have arrived. */
export type Scenario = {
  readonly title: string;
  /** Engines in which it can't run, and why. */
  readonly impossible?: Partial<Record<EngineName, string>>;
  /**
   * Engines that sometimes break the scenario's promise by themselves, without a tracker, and how. It runs up to three
   * times. If the engine does so just then, it is enough that nothing is lost once the visitor comes back.
   */
  readonly unsure?: Partial<Record<EngineName, string>>;
  /** How often it is repeated if the driver loses a page or the machine stalls for too long. */
  readonly retry?: number;
  /** Several tabs make events at once. */
  readonly withoutOrder?: true;
  /** How long it may take; what takes longer hangs. */
  readonly withinMs?: number;
  readonly run: (visit: Visit) => Promise<void>;
};

/** How often a visitor leaves in the same manner. */
export const ROUNDS = 10;

/** What is lost now and then shows only when it is done again and again. */
export async function rounds(count: number, round: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done++) await round();
}

/** Throws if something is not as the scenario requires. */
export function assert(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
