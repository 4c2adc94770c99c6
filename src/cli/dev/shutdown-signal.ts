import { once } from 'node:events';

/** Aborted by Ctrl-C, and by whatever else asks this process to end; which may well ask twice. */
export function endingSignal(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => ending.abort());
  return ending.signal;
}

/** Resolves once it is aborted. */
export async function aborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort');
}
