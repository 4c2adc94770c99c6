import { toPath } from '../issue.ts';

/** One change to a field or attribute that lets its record pass. Never contains the value. */
export type Repair = {
  /** The field or attribute, such as `phone` or `eventData.Price`. */
  readonly path: string;
  /** The rule it broke. Path and rule read as one sentence. */
  readonly rule: string;
  readonly done: 'cut' | 'left_out';
};

/** A value that breaks a rule, and the change that makes it fit. */
export type Misfit = {
  readonly path: readonly string[];
  readonly rule: string;
  readonly done: Repair['done'];
};

/** Yields each change a value needs, and returns the changed value. Undefined if the value is left out. */
export type Fitting<Value> = Generator<Misfit, Value>;

/** Runs to the end, and adds each misfit to the list. */
export function collect<Value>(fitting: Fitting<Value>, misfits: Misfit[]): Value {
  let step = fitting.next();
  while (!step.done) {
    misfits.push(step.value);
    step = fitting.next();
  }
  return step.value;
}

export function leftOut(path: readonly string[], rule: string): Misfit {
  return { path, rule, done: 'left_out' };
}

export function toRepair({ path, rule, done }: Misfit): Repair {
  return { path: toPath(path), rule, done };
}
