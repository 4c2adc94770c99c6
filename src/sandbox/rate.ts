import type { Control } from './control.ts';

const MINUTE_MS = 60_000;

/** The moment after which calls count against one that arrives now. It never lies more than a minute back. */
export function minuteBegan(minute: Control['minute'], now: number): number {
  return minute === 'sliding' ? now - MINUTE_MS : now - (now % MINUTE_MS) - 1;
}

/** The `Retry-After` of a 429, or none. */
export function retryAfterOf(
  { retryAfter, retryAfterSeconds }: Control,
  now: number,
): Readonly<Record<string, string>> {
  switch (retryAfter) {
    case 'none':
      return {};
    case 'seconds':
      return { 'Retry-After': String(retryAfterSeconds) };
    case 'date':
      return { 'Retry-After': new Date(now + retryAfterSeconds * 1000).toUTCString() };
    case 'garbage':
      return { 'Retry-After': 'in a while' };
  }
}
