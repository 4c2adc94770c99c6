import type { CDPSession } from 'playwright-core';
import { rounded } from '../rounded.ts';
import type { Harness } from './harness.ts';
import { delivered, drain, fill, longTasks } from './in-page.ts';
import { type Span, watchMainThread } from './main-thread.ts';

const BACKLOG = { records: 5_000, slice: 25 };

const BURST = { records: 1_000, slice: 1_000 };

const PAUSE_SECONDS = 1;

// Browsers call a task long from here on: https://w3c.github.io/longtasks/#sec-terminology
const LONG_TASK_MS = 50;

/** The longest task while a burst and a backlog are made, and while both drain. */
export async function watchTasks({ page, cdp, site, startTracker }: Harness): Promise<void> {
  await startTracker(PAUSE_SECONDS);
  await page.evaluate(longTasks);
  const between = await watchMainThread(cdp, async () => {
    await page.evaluate(fill, { ...BURST, marks: 'burst' });
    await page.evaluate(fill, { ...BACKLOG, marks: 'fill' });
    site.pause(undefined);
    await page.evaluate(drain, 'drain');
  });
  const observed = await page.evaluate(longTasks);

  const row = ({ cpuMs, longestTaskMs, tasks }: Span, records: number) => ({
    'longest task, ms': rounded(longestTaskMs),
    tasks,
    // Too high by the cost of tracing.
    'CPU ms per 1,000 records': rounded((cpuMs * 1_000) / records),
  });
  const reported = observed.map((ms) => rounded(ms, 0)).join(', ') || 'none';
  console.log(`\nTasks, traced. Over ${LONG_TASK_MS} ms, as the page was told, ms: ${reported}`);
  console.table({
    [`${BURST.records} records made in one task`]: row(between('burst from', 'burst to'), BURST.records),
    [`${BACKLOG.records} records made, ${BACKLOG.slice} in a task`]: row(
      between('fill from', 'fill to'),
      BACKLOG.records,
    ),
    'all of them delivered': row(between('drain from', 'drain to'), BACKLOG.records + BURST.records),
  });
}

/** Bytes in use after a forced collection. `browser` is the browser's own objects (requests, signals, keys). */
async function heap(cdp: CDPSession) {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await cdp.send('Runtime.getHeapUsage');
  return { script: usedSize, browser: embedderHeapUsedSize + backingStorageSize };
}

/** Memory before, during and after two backlogs. */
export async function watchMemory({ page, cdp, site, startTracker }: Harness): Promise<void> {
  const heaps: [moment: string, at: Awaited<ReturnType<typeof heap>>][] = [];
  const measure = async (moment: string) => heaps.push([moment, await heap(cdp)]);

  await startTracker(PAUSE_SECONDS);
  await measure('before');
  for (const backlog of ['first', 'second']) {
    site.pause(PAUSE_SECONDS);
    await page.evaluate(fill, { ...BACKLOG, marks: 'memory' });
    await measure(`${backlog} backlog, made`);
    site.pause(undefined);
    const half = page.evaluate(delivered, BACKLOG.records / 2);
    const all = page.evaluate(drain, 'memory');
    await half;
    await measure(`${backlog} backlog, half delivered`);
    await all;
    await measure(`${backlog} backlog, delivered`);
  }

  const [[, before] = ['', { script: Number.NaN, browser: Number.NaN }]] = heaps;
  const kib = (bytes: number) => rounded(bytes / 1024, 0);
  console.log(`\nMemory after a forced collection, KiB; a backlog is ${BACKLOG.records} records`);
  console.table(
    Object.fromEntries(
      heaps.map(([moment, { script, browser }]) => [
        moment,
        {
          'script heap': kib(script),
          growth: kib(script - before.script),
          "browser's objects": kib(browser),
          'their growth': kib(browser - before.browser),
        },
      ]),
    ),
  );
}
