import type { Profile } from '../record/make-record.ts';

/** Of an event, by name: whatever the page has given it. */
export type Properties = { readonly [property: string]: unknown };

/**
 * An `identify` or a `track` as the page has called it, before anything of it is checked. `page`: the address at which it
 * was called, though the page has moved on since; none in a worker.
 */
export type TrackerCall = (
  | { readonly kind: 'event'; readonly eventName: string; readonly eventData?: Properties | undefined }
  | { readonly kind: 'user'; readonly userId: string; readonly profile?: Profile | undefined }
) & { readonly page?: string | undefined };

/**
 * Looks at a call before a record is made of it. Answers with the call to make in its place, with nothing where it is
 * to be made as it came, or with null where it is refused. Not by a promise: by then the record would be made.
 * What it is given is the page's own: to change something, answer with a copy.
 */
// Not undefined for a refusal: a step that forgets to answer would refuse every call, in silence.
export type Step = (call: TrackerCall) => TrackerCall | null | undefined;

/**
 * Takes calls through steps, in the order in which these were added. A step that fails, or answers with what is no
 * call, changes nothing.
 *
 * @param report is given what a step throws
 */
export function createSteps(report: (error: unknown) => void): {
  readonly use: (step: Step) => () => void;
  /** The call that is to be made, or null. */
  readonly through: (call: TrackerCall) => TrackerCall | null;
} {
  const steps = new Set<Step>();

  return {
    use(step) {
      steps.add(step);
      return () => steps.delete(step);
    },
    through(call) {
      let current = call;
      for (const step of steps) {
        try {
          const answer = step(current);
          if (answer === null) return null;
          if (answer && !answer.kind) throw new Error('a step must answer with a call, null or nothing');
          // A step that makes a call anew need not know of the page.
          if (answer) current = { page: call.page, ...answer };
        } catch (error) {
          report(error);
        }
      }
      return current;
    },
  };
}
