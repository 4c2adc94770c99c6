/** Milliseconds since 1970 of a time as WebEngage has it: `yyyy-MM-ddTHH:mm:ss±hhmm`. NaN for anything else. */
export function instantOf(text: unknown): number {
  const [, local, hours, minutes] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d)(\d\d)$/.exec(String(text)) ?? [];
  return local === undefined ? Number.NaN : Date.parse(`${local}${hours}:${minutes}`);
}

/** How far such a time lies from a moment, in whole seconds. */
export function secondsFrom(text: unknown, at: number): number {
  return Math.abs(Math.round((instantOf(text) - at) / 1000));
}
