import { CALL_NUMBER } from '../calls.js';

// Longer than a record is between two stages, where no count shows it.
const STILL_MS = 3_000;

/** Which of our calls have arrived at WebEngage, and how many of them more than once. */
export function tally({ users, events }, isOurs) {
  const numbers = [
    ...users.map(({ attributes }) => attributes?.[CALL_NUMBER]),
    ...events.map(({ eventData }) => eventData?.[CALL_NUMBER]),
  ].filter(isOurs);
  const times = new Map();
  for (const number of numbers) times.set(number, (times.get(number) ?? 0) + 1);
  const doubled = [...times.values()].filter((count) => count > 1).length;
  return { arrived: new Set(times.keys()), doubled };
}

/** What is missing is on the way as long as anything moves or waits; after that it is lost. */
export function judge({ made, arrived, doubled, stillForMs }) {
  const missing = Math.max(0, made - arrived);
  const over = stillForMs >= STILL_MS;
  return { made, arrived, doubled, onTheWay: over ? 0 : missing, lost: over ? missing : 0 };
}
