import { toPath } from './issue.ts';

/** What was changed about one field or attribute so that its record could go. Never holds the value itself. */
export type Repair = {
  /** The field or attribute, as `phone` or `eventData.Price`. */
  readonly path: string;
  /** The rule it broke, so that path and rule read as one sentence. */
  readonly rule: string;
  readonly done: 'cut' | 'left_out';
};

/** Where a value breaks a rule, and what makes it fit. */
export type Misfit = {
  readonly path: readonly string[];
  readonly rule: string;
  readonly done: Repair['done'];
};

/** Yields what has to be changed about a value, and returns it so changed; undefined where it is left out. */
export type Fitting<Value> = Generator<Misfit, Value>;

export function leftOut(path: readonly string[], rule: string): Misfit {
  return { path, rule, done: 'left_out' };
}

export function toRepair({ path, rule, done }: Misfit): Repair {
  return { path: toPath(path), rule, done };
}

/** Runs to the end; adds what was misfit to the list. */
export function collect<Value>(fitting: Fitting<Value>, misfits: Misfit[]): Value {
  let step = fitting.next();
  while (!step.done) {
    misfits.push(step.value);
    step = fitting.next();
  }
  return step.value;
}
