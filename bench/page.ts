import { watchMemory, watchTasks } from './page/backlog.ts';
import { compareCalls } from './page/calls.ts';
import { startHarness } from './page/harness.ts';

// What the tracker costs a page in a real Chromium. Measures main-thread time against a bare
// `localStorage.setItem`, the longest task while a backlog is made and drains, and memory before and after.

const PATTERNS = [
  { name: 'in one loop', calls: 1_000, inOneTask: true },
  { name: 'each in a task of its own', calls: 250, inOneTask: false },
];

const harness = await startHarness();
for (const pattern of PATTERNS) await compareCalls(harness, pattern);
await watchTasks(harness);
await watchMemory(harness);
await harness.stop();
