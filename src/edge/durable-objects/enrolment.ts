/** Lists an outbox as in use at the gate, so that the watchdog finds it after a resharding too. */
export type Enrolment = {
  /** Resolves once the outbox is listed under this name. Callers that wait continue in their order. */
  readonly ensure: (name: string) => Promise<void>;
  /** The gate may drop the outbox from its list now. The next `ensure` lists it again. */
  readonly end: () => void;
};

/**
 * The enrolment of one outbox, which is repeated after each start.
 *
 * @param enrol asks the gate
 * @param kv keeps the name, for what has no caller to tell it
 */
export function enrolment(enrol: (name: string) => Promise<void>, kv: SyncKvStorage): Enrolment {
  let enrolledAs: string | undefined;
  let enrolling: Promise<void> | undefined;

  async function enrolOnce(name: string): Promise<void> {
    try {
      await enrol(name);
      kv.put('name', name);
      enrolledAs = name;
    } finally {
      enrolling = undefined;
    }
  }

  return {
    ensure: async (name) => {
      if (enrolledAs === name) return;
      // One request for all that wait: several might be answered in another order.
      enrolling ??= enrolOnce(name);
      await enrolling;
    },
    end: () => {
      kv.delete('name');
      enrolledAs = undefined;
    },
  };
}
