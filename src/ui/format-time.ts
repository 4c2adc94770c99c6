/** The time of day by the reader's clock, as `09:05:00`. */
export function formatTime(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
