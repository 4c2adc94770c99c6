import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** A file of src, and the files of src that it imports, types included. */
type Imports = ReadonlyMap<string, readonly string[]>;

function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)));
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file))
  .filter((file) => /\.(ts|tsx|js)$/.test(file));
const imports: Imports = new Map(files.map((file) => [file, importsOf(file)]));

/** The first circle of imports that is found from a file, as the way around it. */
function circleFrom(file: string, way: readonly string[], done: Set<string>): readonly string[] | undefined {
  if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
  if (done.has(file)) return undefined;
  for (const next of imports.get(file) ?? []) {
    const circle = circleFrom(next, [...way, file], done);
    if (circle !== undefined) return circle;
  }
  done.add(file);
  return undefined;
}

/** The room of a file: the first folder. */
function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

/** What a room may import beside itself and the ground: `contract`, `pacing`. */
const MAY_IMPORT: { readonly [room: string]: readonly string[] } = {
  contract: [],
  pacing: [],
  plan: [],
  segment: [],
  'page-views': ['tracker'],
  webengage: ['tracker'],
  tracker: [],
  ui: [],
  inspector: ['tracker', 'ui'],
  admin: ['edge', 'ui'],
  edge: ['plan', 'server', 'tracker', 'tracking-plan.json'],
  server: ['tracker'],
  import: ['edge', 'plan', 'server'],
  cli: ['edge', 'plan', 'import', 'server'],
  sandbox: ['ui'],
};

type Floors = { readonly [floor: string]: readonly string[] };

/** What a floor of a room may import beside itself and the ground. The room's root is the top, and may import all of them. */
const FLOORS: { readonly [room: string]: Floors } = {
  tracker: {
    'script-tag': ['', 'add-ons', 'page', 'record', 'platform'],
    'add-ons': ['engine', 'delivery', 'page', 'store', 'record', 'platform'],
    engine: ['unload', 'delivery', 'page', 'store', 'record', 'platform'],
    unload: ['delivery', 'page', 'record', 'platform'],
    delivery: ['page', 'store', 'record', 'platform'],
    page: ['store', 'record', 'platform'],
    store: ['record', 'platform'],
    record: [],
    platform: [],
  },
  edge: {
    rpc: ['http', 'durable-objects', 'queue', 'settings', 'telemetry'],
    watchdog: ['durable-objects', 'alerts', 'settings', 'telemetry'],
    operator: ['http', 'durable-objects', 'restore', 'alerts', 'queue', 'auth', 'settings', 'telemetry'],
    http: ['durable-objects', 'queue', 'gate', 'limits', 'auth', 'settings', 'telemetry'],
    'durable-objects': [
      'restore',
      'alerts',
      'delivery',
      'queue',
      'gate',
      'limits',
      'auth',
      'settings',
      'telemetry',
    ],
    restore: ['queue'],
    alerts: ['queue', 'settings'],
    delivery: ['queue', 'gate', 'limits', 'settings', 'telemetry'],
    queue: ['limits'],
    limits: ['telemetry'],
    auth: ['settings'],
    gate: [],
    settings: [],
    telemetry: [],
  },
  admin: {
    'dead-letters': [''],
    status: ['plots', ''],
    plots: [''],
  },
  sandbox: { page: ['sdk', ''], sdk: [] },
  server: { journal: [''] },
  import: { read: [], send: ['read'] },
  cli: {
    dev: ['init', 'doctor', 'probe', ''],
    init: [''],
    doctor: [''],
    types: [''],
    import: [''],
    probe: ['init', ''],
    erase: [''],
    restore: [''],
  },
};

/** The floor of a file in its room; the root's is the empty name. */
function floorOf(file: string): string {
  const [, , floor = '', rest] = file.split('/');
  return rest === undefined ? '' : floor;
}

describe('the rooms of src', () => {
  test('have no import cycles, types included', () => {
    const done = new Set<string>();

    const circles = files.map((file) => circleFrom(file, [], done)).filter((circle) => circle !== undefined);

    expect(circles).toEqual([]);
  });

  test('import each other from the top down', () => {
    const wrong = files.flatMap((file) =>
      (imports.get(file) ?? [])
        .map((imported) => [roomOf(file), roomOf(imported), `${file} → ${imported}`] as const)
        .filter(([from, to]) => {
          const ground = from !== 'contract' && from !== 'pacing' && (to === 'contract' || to === 'pacing');
          return from !== to && !ground && !MAY_IMPORT[from]?.includes(to);
        })
        .map(([, , arrow]) => arrow),
    );

    expect(wrong).toEqual([]);
  });

  test.each(Object.keys(FLOORS))('have floors that do too: %s', (room) => {
    const isWithin = (file: string) => file.startsWith(`src/${room}/`);
    const wrong = files
      .filter((file) => isWithin(file) && floorOf(file) !== '')
      .flatMap((file) =>
        (imports.get(file) ?? [])
          .filter((imported) => isWithin(imported) && floorOf(imported) !== floorOf(file))
          .filter((imported) => !FLOORS[room]?.[floorOf(file)]?.includes(floorOf(imported)))
          .map((imported) => `${file} → ${imported}`),
      );

    expect(wrong).toEqual([]);
  });

  test('let the inspector read a tracker through one port and its public types', () => {
    const read = files
      .filter((file) => file.startsWith('src/inspector/'))
      .flatMap((file) => imports.get(file) ?? [])
      .filter((file) => file.startsWith('src/tracker/'));

    expect([...new Set(read)].sort()).toEqual(['src/tracker/index.ts', 'src/tracker/inspect.ts']);
  });

  test('let the client for servers share only a tracker’s records', () => {
    const shared = files
      .filter((file) => file.startsWith('src/server/'))
      .flatMap((file) => imports.get(file) ?? [])
      .filter((file) => file.startsWith('src/tracker/'));

    expect(shared.filter((file) => !file.startsWith('src/tracker/record/'))).toEqual([]);
  });

  test('let the relay share only the pure part of the client for servers', () => {
    const shared = files
      .filter((file) => file.startsWith('src/edge/'))
      .flatMap((file) => imports.get(file) ?? [])
      .filter((file) => /^src\/(server|tracker)\//.test(file));

    expect([...new Set(shared)].sort()).toEqual([
      'src/server/call.ts',
      'src/server/record-id.ts',
      'src/server/relay-error.ts',
      'src/tracker/record/capture.ts',
      'src/tracker/record/event-types.ts',
    ]);
  });

  test('let the admin page know only the types of the relay’s answers', () => {
    const imported = files
      .filter((file) => file.startsWith('src/admin/'))
      .flatMap((file) => [
        ...readFileSync(file, 'utf8').matchAll(/import ([^;]*?) from '[./]*(edge\/[^']+)'/g),
      ])
      .map(([, names = '', path]) => `${/^\w+/.exec(names)?.[0]} ${path}`);

    expect([...new Set(imported)].sort()).toEqual([
      'type edge/operator/relay-status.ts',
      'type edge/operator/routes.ts',
    ]);
  });

  test('have at most 15 files in a folder', () => {
    const folders = Map.groupBy(files, dirname);
    const crowded = [...folders].filter(([, held]) => held.length > 15);

    expect(crowded.map(([folder, held]) => `${folder}: ${held.length}`)).toEqual([]);
  });
});
