import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack } from '../journeys/stack.ts';
import { chromiumEngine } from './chromium-engine.ts';
import type { Engine } from './engine.ts';
import { firefoxEngine } from './firefox-engine.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { type Cell, line, passed, table } from './table.ts';
import { within } from './until.ts';
import { startVisit, type Visit } from './visit.ts';
import { webkitEngine } from './webkit-engine.ts';

// Pieces of a visitor's life, each in every engine, from the page to what WebEngage received.
// `node test/faults/run.ts firefox killed` plays those whose engine and title hold all these words.

const ENGINES: readonly Engine[] = [chromiumEngine, firefoxEngine, webkitEngine];
const CELL_WITHIN_MS = 150_000;

async function play(visit: Visit, scenario: Scenario): Promise<string | undefined> {
  try {
    await scenario.play(visit);
    await visit.comeBack();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

async function cell(engine: Engine, scenario: Scenario, stack: Stack): Promise<Cell> {
  const { title } = scenario;
  const why = scenario.impossible?.[engine.name];
  const about = { scenario: title, engine: engine.name };
  if (why !== undefined) return { ...about, tookMs: 0, end: 'impossible', why };

  const began = Date.now();
  const profile = await mkdtemp(join(tmpdir(), `webengage-relay-${engine.name}-`));
  // WebEngage takes names of at most 50 characters.
  const name = `${engine.name} ${SCENARIOS.indexOf(scenario) + 1}`;
  const visit = startVisit(engine, stack, profile, name);
  const trouble = await within(title, CELL_WITHIN_MS, play(visit, scenario)).catch(
    ({ message }: Error) => message,
  );
  const count = await visit.count();
  await visit.end();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  const played = { ...about, tookMs: Date.now() - began, end: 'played', count } as const;
  return trouble === undefined ? played : { ...played, trouble };
}

const words = process.argv.slice(2);
const cells: Cell[] = [];
const stack = await startStack();
try {
  // One browser at a time: what a machine under load does to two is not what is asked here.
  for (const engine of ENGINES)
    for (const scenario of SCENARIOS) {
      if (!words.every((word) => `${engine.name} ${scenario.title}`.includes(word))) continue;
      const played = await cell(engine, scenario, stack);
      cells.push(played);
      console.log(line(played));
    }
} finally {
  await stack.stop();
}

console.log(`\n${table(cells)}`);
process.exitCode = cells.every(passed) ? 0 : 1;
