import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest';
import type { Engine, EngineName } from './engines/engine.ts';
import { type Harness, startHarness } from './harness.ts';
import { neverReturns } from './scenarios/never-returns.ts';
import { pageLife } from './scenarios/page-life.ts';
import { relayTrouble } from './scenarios/relay-trouble.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { storageTrouble } from './scenarios/storage-trouble.ts';
import { tabs } from './scenarios/tabs.ts';
import { unload } from './scenarios/unload.ts';
import type { Count } from './table.ts';
import { within } from './until.ts';
import { startVisit, type Visit } from './visit.ts';

// How a page ends is each browser's own.
const OF_EACH_ENGINE = [unload, neverReturns, tabs].flat();
// Simulated trouble of the page, the relay or the clock is much the same in all of them: Chromium runs all of it, and the
// other two take turns with a part. `npm run test:faults` runs all of it in all three.
const IN_TURNS = pageLife;
const OF_CHROMIUM = [relayTrouble, storageTrouble].flat();
const SCENARIOS = [...OF_EACH_ENGINE, ...IN_TURNS, ...OF_CHROMIUM];

/** Whether an engine leaves a scenario to another one. */
function isLeft(engine: EngineName, index: number): boolean {
  const turn = index - OF_EACH_ENGINE.length;
  if (process.env.ALL_CELLS || engine === 'chromium' || turn < 0) return false;
  return turn >= IN_TURNS.length || engine === (turn % 2 ? 'firefox' : 'webkit');
}

const SCENARIO_WITHIN_MS = 60_000;
const COME_BACK_WITHIN_MS = 60_000;
const CLEAN_UP_WITHIN_MS = 60_000;

// The runner is gone, and nobody would hear of anything any more.
process.once('disconnect', () => process.exit(1));

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

// Enough to see which rounds lost something.
const SHOWN = 20;

/** The first thing that is wrong with how it ended. */
function troubleOf(count: Count, thrown: readonly string[]): string | undefined {
  const { made, lost, missing, doubled, disordered, strange } = count;
  if (lost > 0) return `${lost} of ${made} lost: ${missing.slice(0, SHOWN).join(', ')}`;
  if (doubled > 0) return `${doubled} doubled`;
  if (strange > 0) return `${strange} arrived that never were made`;
  if (disordered !== undefined && disordered > 0) return `${disordered} out of order`;
  return thrown.length > 0 ? `thrown into the page: ${thrown[0]}` : undefined;
}

/** Runs a scenario to its end. Returns what went wrong before it, if anything. */
async function run(visit: Visit, { title, run, withinMs }: Scenario): Promise<string | undefined> {
  try {
    await within(title, withinMs ?? SCENARIO_WITHIN_MS, run(visit));
    await within('the visitor comes back', COME_BACK_WITHIN_MS, visit.comeBack());
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

/** True where the browser itself fails pages without a tracker too, and the visitor has lost nothing who comes back. */
async function isExcused(visit: Visit): Promise<boolean> {
  if (!(await visit.dropsRequests())) return false;
  await visit.comeBack();
  return troubleOf(await visit.count(), visit.site.thrown()) === undefined;
}

/** Declares a test for each scenario in one engine. A scenario that can't run there is skipped, with the reason. */
export function runMatrix(engine: Engine): void {
  const missing = engine.missing();
  let harness: Harness | undefined;
  let visit: Visit | undefined;

  beforeAll(async () => {
    if (missing === undefined) harness = await startHarness();
  });
  afterAll(() => harness?.stop());
  beforeEach(() => harness?.reset());
  afterEach(async () => {
    await visit?.end();
    visit = undefined;
  }, CLEAN_UP_WITHIN_MS);

  SCENARIOS.forEach((scenario, index) => {
    if (isLeft(engine.name, index)) return;
    const about = { scenario: scenario.title, engine: engine.name };
    const timeout = (scenario.withinMs ?? SCENARIO_WITHIN_MS) + COME_BACK_WITHIN_MS + CLEAN_UP_WITHIN_MS;
    const unsure = scenario.unsure?.[engine.name];
    const retry = scenario.retry ?? (unsure === undefined ? 0 : 2);
    test(scenario.title, { timeout, retry }, async ({ task, skip }) => {
      const why =
        missing === undefined
          ? scenario.impossible?.[engine.name]
          : `not on this machine: install ${missing}`;
      if (why !== undefined || harness === undefined) {
        task.meta.cell = { ...about, end: 'impossible', why: why ?? 'nothing to run it on' };
        return skip(why);
      }

      const began = Date.now();
      // WebEngage takes names of at most 50 characters.
      visit = await startVisit(engine, harness, `${engine.name} ${index + 1}`);
      const ended = await run(visit, scenario);
      if (ended !== undefined && unsure !== undefined && (await isExcused(visit))) {
        task.meta.cell = { ...about, end: 'impossible', why: `just now ${unsure}` };
        return skip(unsure);
      }
      const counted = await visit.count();
      const count = scenario.withoutOrder ? { ...counted, disordered: undefined } : counted;
      const amiss = troubleOf(count, harness.site.thrown());
      const trouble = ended === undefined ? amiss : [ended, amiss].filter(Boolean).join('; ');
      task.meta.cell = { ...about, end: 'ran', tookMs: Date.now() - began, count, trouble };
      if (trouble !== undefined) throw new Error(trouble);
    });
  });
}
