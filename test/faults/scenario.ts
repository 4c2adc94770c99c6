import type { EngineName } from './engine.ts';
import type { Visit } from './visit.ts';

/** A piece of a visitor's life in which events are made. The visitor comes back afterwards, and all must have arrived. */
export type Scenario = {
  readonly title: string;
  /** Engines in which it can't be played, and why. */
  readonly impossible?: Partial<Record<EngineName, string>>;
  /**
   * Engines that by themselves, with no tracker at all, do now and then what must not be, and what. Played up to three
   * times; and where they do so just then, it is enough that nothing is lost once the visitor comes back.
   */
  readonly unsure?: Partial<Record<EngineName, string>>;
  /** So often it is played again, where the driver loses sight of a page or the machine stands still for too long. */
  readonly retry?: number;
  /** Several tabs make events at once. */
  readonly withoutOrder?: true;
  /** How long it may take; what takes longer hangs. */
  readonly withinMs?: number;
  readonly play: (visit: Visit) => Promise<void>;
};

/** How often a visitor leaves in one way. */
export const ROUNDS = 10;

/** What is lost now and then shows only when it is done again and again. */
export async function rounds(count: number, round: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done++) await round();
}

/** Rejects, and says so, where something is not as the scenario has it. */
export function insist(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
