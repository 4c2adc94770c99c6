import { type ColumnChoices, parseColumnMap } from '../../import/read/columns/column-map.ts';
import { type InputFile, type InputStream, openInput } from '../../import/read/input-file.ts';
import { openImport } from '../../import/read/open-import.ts';
import { ImportError, type ImportSource } from '../../import/read/source.ts';
import type { Plan } from '../../plan/plan.ts';
import { readJson, readPlan } from '../json-file.ts';
import type { ImportOptions } from './options.ts';

/** A source that is open, and its file. */
export type OpenSource = { readonly source: ImportSource; readonly file: InputFile };

/** Opens the file that the options name, and reads it once. Throws an ImportError. */
export async function openSource(
  options: ImportOptions,
  stdin: InputStream,
  now: number,
): Promise<OpenSource> {
  const choices = await choicesOf(options);
  const plan = options.plan === undefined ? undefined : await planOf(options.plan);
  const file = await openInput(options.file, stdin);
  try {
    const source = await openImport(file, {
      ...options,
      kind: options.kind === 'users' ? 'user' : 'event',
      choices,
      plan,
      repair: options.repair === true,
      maxEventAgeMs: options.allowOldEvents ? undefined : options.maxEventAge,
      now,
    });
    return { source, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The user's choices. `--column` takes precedence over the map. */
async function choicesOf({ map, column = [] }: ImportOptions): Promise<ColumnChoices> {
  const choices = new Map(map === undefined ? [] : await mapOf(map));
  const given = new Set<string>();
  for (const [name, choice] of column) {
    if (given.has(name)) throw new ImportError(`--column names ${JSON.stringify(name)} twice: leave one out`);
    given.add(name);
    choices.set(name, { choice, from: '--column' });
  }
  return choices;
}

async function mapOf(path: string): Promise<ColumnChoices> {
  const read = await readJson(path);
  if (!read.ok) throw new ImportError(`${path}: ${read.faults.join('; ')}`);
  const parsed = parseColumnMap(read.json);
  if (parsed.ok) return parsed.choices;
  const faults = parsed.issues.map((issue) => `${issue.path || 'the map'} ${issue.message}`);
  throw new ImportError(`${path}: ${faults.join('; ')}`);
}

async function planOf(path: string): Promise<Plan> {
  const read = await readPlan(path);
  if (!read.ok) throw new ImportError(`${path}: ${read.faults.join('; ')}`);
  return read.plan;
}
