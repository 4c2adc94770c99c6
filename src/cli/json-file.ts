import { readFile } from 'node:fs/promises';
import { faultInJson } from '../contract/strict-json.ts';
import { type Plan, parsePlan, planFaults } from '../plan/plan.ts';

type Faults = { readonly ok: false; readonly faults: readonly string[] };
type ReadJson = { readonly ok: true; readonly json: unknown } | Faults;
type ReadPlan = { readonly ok: true; readonly plan: Plan } | Faults;

const fail = (...faults: readonly string[]): Faults => ({ ok: false, faults });

/** Reads a file of JSON that was written by hand. */
export async function readJson(path: string): Promise<ReadJson> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return fail("the file does not exist or can't be read");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail(`is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  // If a name occurs twice, `JSON.parse` silently takes the last.
  const fault = faultInJson(text);
  return fault === undefined ? { ok: true, json } : fail(`${fault.path} ${fault.message}`.trim());
}

/** Reads the file of a tracking plan. */
export async function readPlan(path: string): Promise<ReadPlan> {
  const read = await readJson(path);
  if (!read.ok) return read;
  const parsed = parsePlan(read.json);
  return parsed.ok ? parsed : fail(...planFaults(parsed.issues));
}
