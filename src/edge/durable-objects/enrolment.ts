/** Lists an outbox as in use at the gate, so that the watchdog finds it after a resharding too. */
export type Enrolment = {
  /**
   * Resolves once the outbox is listed under this name. Callers that wait continue in their order. True if the
   * outbox is on hold: the gate is asked each time then.
   */
  readonly ensure: (name: string) => Promise<boolean>;
  /** The gate may drop the outbox from its list now. The next `ensure` lists it again. */
  readonly end: () => void;
};

/**
 * The enrolment of one outbox, which is repeated after each start.
 *
 * @param enrol asks the gate, which says whether the outbox is on hold
 * @param kv stores the name, because an alarm has no caller that tells it
 */
export function enrolment(enrol: (name: string) => Promise<boolean>, kv: SyncKvStorage): Enrolment {
  let enrolledAs: string | undefined;
  let enrolling: Promise<boolean> | undefined;

  async function enrolOnce(name: string): Promise<boolean> {
    try {
      const isOnHold = await enrol(name);
      kv.put('name', name);
      if (!isOnHold) enrolledAs = name;
      return isOnHold;
    } finally {
      enrolling = undefined;
    }
  }

  return {
    ensure: async (name) => {
      if (enrolledAs === name) return false;
      // One request for all that wait: several might be answered in another order.
      enrolling ??= enrolOnce(name);
      return enrolling;
    },
    end: () => {
      kv.delete('name');
      enrolledAs = undefined;
    },
  };
}
