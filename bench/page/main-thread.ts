import type { CDPSession } from 'playwright-core';

/** What the page's main thread did between two marks: everything, whoever asked for it. */
export type Span = {
  /** Time the thread worked, by its own clock: what else the machine does is not in it. */
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
  /** Microseconds: when, how long, and both by the thread's own clock. */
  readonly ts: number;
  readonly dur?: number;
  readonly tts?: number;
};

const MARKS = 'blink.user_timing';

// Tasks cost the thread some 7 µs each to be traced, marks next to nothing.
const TASKS = 'toplevel';

/** Traces the page's process while something runs; answers with the events of its main thread, in order. */
async function trace(
  cdp: CDPSession,
  includedCategories: string[],
  run: () => Promise<void>,
): Promise<readonly TraceEvent[]> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: object[] }) => {
    // By name in the protocol's own words; it types them as any object.
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
 * How long the page's main thread worked from one mark to another, both set once while something runs there.
 * Does not look at its tasks, and so costs them nothing.
 */
export async function clockMainThread(
  cdp: CDPSession,
  run: () => Promise<void>,
): Promise<(from: string, to: string) => number> {
  const markAt = marksOf(await trace(cdp, [MARKS], run));
  return (from, to) => (markAt(to).tts - markAt(from).tts) / 1_000;
}

/** What the page's main thread did from one mark to another, task by task; which makes each a little longer. */
export async function watchMainThread(
  cdp: CDPSession,
  run: () => Promise<void>,
): Promise<(from: string, to: string) => Span> {
  const events = await trace(cdp, [MARKS, TASKS], run);
  const markAt = marksOf(events);
  const tasks = events.filter(({ name, ph }) => name === 'ThreadControllerImpl::RunTask' && ph === 'X');

  return (from, to) => {
    const [start, end] = [markAt(from), markAt(to)];
    // Of the tasks that hold the marks, only what lies between the two counts.
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
