import { setFlagsFromString } from 'node:v8';

// Rows outlive collections of garbage while they wait to be sent. V8 then prefers to enlarge the heap: the young generation
// to 128 MB, and the old one to several times its content, although some 15 MB are in use. V8 reads these two flags each
// time it decides that, so they work at run time. Flags for the largest size work only at the start of a process.
const FLAGS = ['--semi-space-growth-factor=1', '--heap-growing-percent=50'];

/** Makes V8 collect garbage more often rather than enlarge the heap. Sending then takes a third more processor time. */
export function keepHeapSmall(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
