import type { FailedCall } from './relay-pass.ts';

/** One line for the operator: WebEngage did not take a batch. No record is in it. */
export function logFailedCall(call: FailedCall): void {
  console.warn(JSON.stringify({ event: 'call_failed', ...call }));
}

/**
 * One line for the operator: something failed that should not.
 * Its kind and its place; not its message, which may quote what a visitor sent.
 */
export function logFault(event: string, error: unknown): void {
  const { name, stack = '' } = error instanceof Error ? error : { name: typeof error };
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line));
  console.error(JSON.stringify({ event, error: name, at: places.slice(0, 3).map((line) => line.trim()) }));
}
