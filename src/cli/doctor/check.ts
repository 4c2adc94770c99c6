/** One thing that was looked at. */
export type Check = {
  readonly name:
    | 'reachable'
    | 'tls'
    | 'health'
    | 'version'
    | 'tracker'
    | 'tracker-headers'
    | 'origin'
    | 'strangers'
    | 'clock'
    | 'admin'
    | 'backlog'
    | 'dead-letters'
    | 'key'
    | 'pace'
    | 'outboxes'
    | 'alerts';
  /** `bad`: something does not work. `unsure`: it works, or nobody can tell, and it deserves a look. */
  readonly verdict: 'good' | 'bad' | 'unsure';
  readonly says: string;
  /** What to do about it. */
  readonly todo?: string;
};

export const good = (name: Check['name'], says: string): Check => ({ name, verdict: 'good', says });
export const bad = (name: Check['name'], says: string, todo: string): Check => ({
  name,
  verdict: 'bad',
  says,
  todo,
});
export const unsure = (name: Check['name'], says: string, todo: string): Check => ({
  name,
  verdict: 'unsure',
  says,
  todo,
});
