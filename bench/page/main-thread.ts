import type { CDPSession } from 'playwright-core';

/** Everything the page's main thread did between two marks, no matter what caused it. */
export type Span = {
  /** The thread's own clock: other load on the machine does not count. */
  readonly cpuMs: number;
  readonly longestTaskMs: number;
  readonly tasks: number;
};

type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly cat: string;
  readonly pid: number;
  readonly tid: number;
  /** Start and duration in microseconds. `tts` is the start by the thread's own clock. */
  readonly ts: number;
  readonly dur?: number;
  readonly tts?: number;
};

const MARKS = 'blink.user_timing';

// Tracing a task costs the thread about 7 µs, and a mark next to nothing.
const TASKS = 'toplevel';

/** Traces the page's process while `run` runs. Resolves to the events of its main thread, in order. */
async function trace(
  cdp: CDPSession,
  includedCategories: string[],
  run: () => Promise<void>,
): Promise<readonly TraceEvent[]> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: object[] }) => {
    // The protocol defines these fields. Its types only say `object`.
    for (const event of value as TraceEvent[]) events.push(event);
  };
  cdp.on('Tracing.dataCollected', collect);
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories, recordMode: 'recordAsMuchAsPossible' },
  });
  await run();
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
  await cdp.send('Tracing.end');
  await complete;
  cdp.off('Tracing.dataCollected', collect);

  const mark = events.find(({ cat }) => cat === MARKS);
  return events
    .filter(({ pid, tid }) => pid === mark?.pid && tid === mark?.tid)
    .toSorted((a, b) => a.ts - b.ts);
}

function marksOf(events: readonly TraceEvent[]) {
  const marks = new Map(events.flatMap((event) => (event.cat === MARKS ? [[event.name, event]] : [])));
  return (name: string) => {
    const { ts, tts } = marks.get(name) ?? {};
    if (ts === undefined || tts === undefined) throw new Error(`the trace has no mark ${name}`);
    return { ts, tts };
  };
}

/**
 * How long the page's main thread worked between two marks, both set once during `run`.
 * It does not trace tasks, so it adds no cost to them.
 */
export async function clockMainThread(
  cdp: CDPSession,
  run: () => Promise<void>,
): Promise<(from: string, to: string) => number> {
  const markAt = marksOf(await trace(cdp, [MARKS], run));
  return (from, to) => (markAt(to).tts - markAt(from).tts) / 1_000;
}

/** What the page's main thread did between two marks, task by task. Tracing makes each task slightly longer. */
export async function watchMainThread(
  cdp: CDPSession,
  run: () => Promise<void>,
): Promise<(from: string, to: string) => Span> {
  const events = await trace(cdp, [MARKS, TASKS], run);
  const markAt = marksOf(events);
  const tasks = events.filter(({ name, ph }) => name === 'ThreadControllerImpl::RunTask' && ph === 'X');

  return (from, to) => {
    const [start, end] = [markAt(from), markAt(to)];
    // Only the part of a task between the two marks counts.
    const within = tasks
      .map(({ ts, dur = 0 }) => Math.min(ts + dur, end.ts) - Math.max(ts, start.ts))
      .filter((us) => us > 0);
    return {
      cpuMs: (end.tts - start.tts) / 1_000,
      longestTaskMs: within.reduce((longest, us) => Math.max(longest, us), 0) / 1_000,
      tasks: within.length,
    };
  };
}
