import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, LAUNCH_ARGS } from '../../chromium.ts';
import { sample } from '../../samples/samples.ts';
import { type Installed, installPackage } from '../installed.ts';
import { eventsReceived } from '../received.ts';
import { serveSite } from '../site.ts';
import { type Stack, startStack } from '../stack.ts';

// What npm publishes, where somebody has installed it.

let installed: Installed;

beforeAll(async () => {
  installed = await installPackage();
  for (const name of ['@types/node', 'undici-types']) await installed.add(name);
});

afterAll(async () => {
  await installed?.remove();
});

describe('the tarball', () => {
  test('contains what is used, and no source, test or map', () => {
    const others = installed.packed.files
      .map(({ path }) => path)
      .filter(
        (path) =>
          !/^dist\/(public\/|sandbox\/|modules\/(contract|edge|inspector|pacing|page-views|plan|segment|server|tracker|ui|webengage)\/.*\.d\.ts$|[\w.-]+\.js$)/.test(
            path,
          ),
      );

    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/integrity.json',
      'dist/tracking-plan.schema.json',
      'ops/grafana/dashboard.json',
      'ops/prometheus/prometheus.yml',
      'ops/prometheus/rules-tests.yml',
      'ops/prometheus/rules.yml',
      'package.json',
      'wrangler.jsonc',
    ]);
    expect(installed.packed.files.filter(({ path }) => /\.map$|\.test\.|\.dev\.vars/.test(path))).toEqual([]);
  });

  test('contains no trace of the machine it was built on, no key, and no path to a missing source', async () => {
    for (const { path } of installed.packed.files) {
      const text = await installed.read(`node_modules/webengage-relay/${path}`);

      expect(text.includes(resolve('.')) || text.includes(`${homedir()}/`), path).toBe(false);
      expect(text, path).not.toMatch(/PRIVATE KEY-----\n\w|sourceMappingURL/);
    }
  });

  test('is under 700 kB', () => {
    expect(installed.packed.size).toBeLessThan(700_000);
  });
});

describe('imported in plain Node', () => {
  const PAGE_ENTRIES = ['', '/service-worker', '/page-views', '/webengage', '/segment'].map(
    (path) => `webengage-relay${path}`,
  );

  const importing = (entry: string) =>
    installed.node(`
      const touched = [];
      for (const name of ['window', 'document', 'navigator', 'localStorage', 'indexedDB', 'fetch', 'fetchLater',
        'addEventListener', 'setTimeout', 'setInterval', 'queueMicrotask'])
        Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
      const before = new Set(Reflect.ownKeys(globalThis));
      const names = Object.keys(await import('${entry}'));
      const left = Reflect.ownKeys(globalThis).filter((name) => !before.has(name));
      console.log(JSON.stringify({ names, touched, left }));`);

  test.each(PAGE_ENTRIES)('%s touches no page, starts nothing and leaves nothing', async (entry) => {
    expect(await importing(entry)).toEqual({
      names: expect.arrayContaining([expect.any(String)]),
      touched: [],
      left: [],
    });
  });

  test('webengage-relay/inspector, imported for its effect in a page, does nothing', async () => {
    expect(await importing('webengage-relay/inspector')).toEqual({ names: [], touched: [], left: [] });
  });

  test.each(PAGE_ENTRIES)('%s may be required too', async (entry) => {
    expect(
      await installed.node(`
        import { createRequire } from 'node:module';
        console.log(JSON.stringify(Object.keys(createRequire(import.meta.url)('${entry}')).length > 0));`),
    ).toBe(true);
  });

  test('webengage-relay/edge says that it needs Workers', async () => {
    expect(
      await installed.node(`
        console.log(JSON.stringify(await import('webengage-relay/edge').catch(({ message }) => message)));`),
    ).toContain("'cloudflare:'");
  });

  test('the scripts pinned by hash exist, with their hashes', async () => {
    expect(
      await installed.node(`
        import { existsSync } from 'node:fs';
        import { fileURLToPath } from 'node:url';
        import hashes from 'webengage-relay/integrity.json' with { type: 'json' };
        const isThere = ({ name, url }) =>
          existsSync(fileURLToPath(import.meta.resolve('webengage-relay/' + name).replace('/' + name, '/public' + url)));
        console.log(JSON.stringify([hashes, hashes.full].map((each) => ({ ...each, isThere: isThere(each) }))));`),
    ).toMatchObject(
      ['tracker.js', 'tracker.full.js'].map((name) => ({
        name,
        integrity: expect.stringMatching(/^sha384-/),
        isThere: true,
      })),
    );
  });

  test('docs/guides/deploying.md says where the hashes are', () => {
    const { text } = sample('docs/guides/deploying.md#a-script-that-must-not-change sh');

    const shown = execFileSync('sh', ['-ec', text], { cwd: installed.folder, encoding: 'utf8' });

    expect(JSON.parse(shown)).toMatchObject({
      integrity: expect.stringMatching(/^sha384-/),
      url: expect.any(String),
    });
  });
});

describe('compiled', () => {
  // With declarations: what a consumer exports must be nameable by what the package exports.
  const STRICT = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    declaration: true,
    target: 'es2022',
    outDir: 'out',
  };

  const PAGE = `
    import {
      checks, consent, createTracker, type FetchToken, identityTokens, type Listener, RecordError, type Tracker,
      type TrackerOptions,
    } from 'webengage-relay';
    type ShopEvents = { 'Added to Cart': { Price: number }; 'Signed Out': undefined };
    const options: TrackerOptions = { endpoint: 'https://t.example.com', batchSize: 10 };
    export const tracker = createTracker<ShopEvents>(options);
    export const untyped: Tracker = createTracker(options);
    export const { track, identify, reset, flush, stats, on, use } = tracker;
    export const added = () => track('Added to Cart', { Price: 1 });
    const fetchToken: FetchToken = async (userId) => userId;
    export const plugged = createTracker({
      ...options,
      plugins: [consent({ initial: 'pending', respectGpc: true }), identityTokens(fetchToken), checks({ strict: true })],
    });
    // @ts-expect-error
    export const unplugged = createTracker({ ...options, consent: 'pending' });
    export const anonymously = () => identify({ email: 'john@doe.com' });
    // @ts-expect-error
    export const wrong = () => track('Added to Cart', { Price: '1' });
    // @ts-expect-error
    export const unknown = createTracker({ ...options, batchsize: 10 });
    export const issues = (error: unknown) => (error instanceof RecordError ? error.issues : []);
    export const notFlushed = async () => {
      const end = await flush();
      return end.settled ? undefined : end.reason;
    };
    type Told<Name extends Parameters<typeof on>[0]> = Parameters<Listener<Name>>[0];
    const next = <Name extends Parameters<typeof on>[0]>(name: Name) =>
      new Promise<Told<Name>>((resolve) => on(name, resolve));
    export const delivered = () => next('delivered');
    export const rejected = () => next('rejected');
    export const dropped = () => next('dropped');
    export const repaired = () => next('repaired');
    export const retrying = () => next('retrying');
    export const degraded = () => next('degraded');`;

  const BESIDE = `
    import { createTracker, type Middleware } from 'webengage-relay';
    import { trackPageViews } from 'webengage-relay/page-views';
    import { segmentLike } from 'webengage-relay/segment';
    const tracker = createTracker<{ 'Signed Out': undefined }>({ endpoint: 'https://t.example.com' });
    export const step: Middleware = (call) => (call.kind === 'user' ? null : { ...call, eventData: { Store: 'Berlin' } });
    export const end = tracker.use(step);
    export const look = tracker.use((call) => { console.log(call); });
    export const stop = trackPageViews(tracker, { query: ['page'], redact: (address) => { address.port = ''; } });
    export const analytics = segmentLike(tracker);
    export const { page } = analytics;
    import 'webengage-relay/inspector';
    import type { InspectedTracker, RelayInspector } from 'webengage-relay/inspector';
    export const inspector: RelayInspector = document.createElement('relay-inspector');
    inspector.tracker = tracker;
    export const inspected: InspectedTracker = tracker;
    // @ts-expect-error
    export const late = tracker.use(async () => null);`;

  const SERVICE_WORKER = `
    import { syncInBackground } from 'webengage-relay/service-worker';
    export const tracker = syncInBackground({ endpoint: 'https://t.example.com' });
    export const track = tracker.track;`;

  const SERVER = `
    import {
      createServerClient, type Person, RecordError, RelayError, type RelayErrorCode, type ServerClient,
      type ServerClientOptions, type ServerEvent, type ServerUser,
    } from 'webengage-relay/server';
    type ShopEvents = { 'Order Shipped': { Total: number }; 'Signed Out': undefined };
    const options: ServerClientOptions = { endpoint: 'https://t.example.com', token: 'a token', batchSize: 10 };
    export const relay = createServerClient<ShopEvents, { Plan?: 'free' | 'paid' }>(options);
    export const untyped: ServerClient = createServerClient(options);
    export const { track, identify, flush, close } = relay;
    const person: Person = { userId: 'johndoe' };
    const shipped: ServerEvent<ShopEvents, 'Order Shipped'> =
      { ...person, eventName: 'Order Shipped', eventData: { Total: 1 }, messageId: 'm' };
    export const ship = () => track(shipped);
    const user: ServerUser<{ Plan?: 'free' | 'paid' }> = { ...person, attributes: { Plan: 'paid' } };
    export const describe = () => identify(user);
    // @ts-expect-error: Total is a number
    export const wrong = () => track({ userId: 'johndoe', eventName: 'Order Shipped', eventData: { Total: '1' } });
    export const code = (error: unknown): RelayErrorCode | undefined =>
      error instanceof RelayError ? error.code : undefined;
    export const issues = (error: unknown) => (error instanceof RecordError ? error.issues : []);`;

  test.each([
    ['bundler', 'esnext'],
    ['nodenext', 'nodenext'],
  ])(
    'a page, a service worker, a Worker and a server have their types, resolved as %s',
    async (moduleResolution, module) => {
      const compile = async (
        name: string,
        code: string,
        lib: readonly string[],
        types: readonly string[],
      ) => {
        await installed.write(`${name}.ts`, code);
        const compilerOptions = { ...STRICT, module, moduleResolution, lib, types };
        await installed.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
        await installed.tool('typescript/bin/tsc', '--project', 'tsconfig.json');
      };

      await compile('page', PAGE, ['es2023', 'dom', 'dom.iterable'], []);
      await compile('beside', BESIDE, ['es2023', 'dom', 'dom.iterable'], []);
      await compile('service-worker', SERVICE_WORKER, ['es2023', 'webworker'], []);
      await compile('own-worker', OWN_WORKER, ['es2023'], ['@cloudflare/workers-types']);
      await compile('caller', CALLER, ['es2023'], ['@cloudflare/workers-types']);
      await compile('server', SERVER, ['es2023'], ['node']);
      await compile('server-in-worker', SERVER, ['es2023'], ['@cloudflare/workers-types']);
    },
  );
});

// As docs/guides/deploying.md has it, for a Worker of one's own.
const OWN_WORKER = `
  import relay, { createRelay, type Env, relayEntrypoint } from 'webengage-relay/edge';
  export { Outbox, RateGate, RelayEntrypoint } from 'webengage-relay/edge';
  export const PlannedEntrypoint = relayEntrypoint({ plan: { events: { 'Signed Out': {} } } });
  export const own = createRelay();
  export const planned = createRelay({ plan: { events: { 'Signed Out': {} } } }) satisfies ExportedHandler<Env>;
  export default {
    fetch: (request, env, ctx) => own.fetch(request, env, ctx),
    scheduled: relay.scheduled,
  } satisfies ExportedHandler<Env>;`;

// Another Worker, with a binding to the relay's.
const CALLER = `
  import type { RelayCalls, RelayEntrypoint, RelayProps } from 'webengage-relay/edge';
  type Env = { readonly RELAY: Service<typeof RelayEntrypoint>; readonly PLANNED: Service<RelayCalls> };
  export const props: RelayProps = { name: 'shop', lane: 'import' };
  // @ts-expect-error No such lane.
  export const wrong: RelayProps = { lane: 'live' };
  export default {
    async fetch(request, { RELAY, PLANNED }, ctx) {
      ctx.waitUntil(RELAY.track({ userId: 'j', eventName: 'Paid', eventTime: new Date(), eventData: { Total: 1 } }));
      ctx.waitUntil(PLANNED.identify({ anonymousId: 'v', email: 'j@doe.com', attributes: { Since: new Date() } }));
      // @ts-expect-error A person is missing.
      await RELAY.track({ eventName: 'Paid' });
      // @ts-expect-error The event's name is missing.
      await RELAY.track({ userId: 'j' });
      // @ts-expect-error No such field.
      await RELAY.identify({ userId: 'j', mail: 'j@doe.com' });
      const { accepted, rejected } = await RELAY.batch([{ kind: 'event', id: 'x.1' }]);
      await RELAY.batch({ v: 1, device: 'x', lane: 'import', records: [] });
      // @ts-expect-error A list or an envelope.
      await RELAY.batch('x');
      const ids: readonly string[] = rejected.map(({ id, issues }) => id + issues[0]?.path);
      return Response.json({ total: accepted + 1, ids });
    },
  } satisfies ExportedHandler<Env>;`;

describe('in an app that Vite builds', () => {
  /** The scripts that a page with this one comes to. */
  async function build(name: string, code: string): Promise<ReadonlyMap<string, string>> {
    await installed.write(`${name}/index.html`, '<script type="module" src="/main.ts"></script>');
    await installed.write(`${name}/main.ts`, code);
    await installed.tool('vite/bin/vite.js', 'build', name, '--logLevel', 'error', '--emptyOutDir');
    const names = readdirSync(join(installed.folder, name, 'dist/assets'));
    return new Map(
      await Promise.all(
        names.map(
          async (file) => [`/assets/${file}`, await installed.read(`${name}/dist/assets/${file}`)] as const,
        ),
      ),
    );
  }
  const codeOf = (scripts: ReadonlyMap<string, string>) => [...scripts.values()].join('\n');
  const APP = "document.title = 'An app';";

  test('an app that imports only types, or imports it and calls nothing, has not a byte of it', async () => {
    const plain = codeOf(await build('plain', APP));

    expect(codeOf(await build('typed', `import type { Tracker } from 'webengage-relay'; ${APP}`))).toBe(
      plain,
    );
    const names = 'checks, consent, createTracker, identityTokens';
    expect(codeOf(await build('unused', `import { ${names} } from 'webengage-relay'; ${APP}`))).toBe(plain);
    const beside = `import { trackPageViews } from 'webengage-relay/page-views';
      import { segmentLike } from 'webengage-relay/segment'; ${APP}`;
    expect(codeOf(await build('beside', beside))).toBe(plain);
    expect(codeOf(await build('bare', `import 'webengage-relay'; ${APP}`))).toBe(plain);
  });

  test('an app has the inspector if it is imported, and not if that is for development alone', async () => {
    const inDevelopment = `if (import.meta.env.DEV) import('webengage-relay/inspector'); ${APP}`;

    expect(codeOf(await build('inspected', `import 'webengage-relay/inspector'; ${APP}`))).toContain(
      'relay-inspector',
    );
    expect(codeOf(await build('shipped', inDevelopment))).not.toContain('relay-inspector');
  });

  describe('with the relay in your own Worker', () => {
    let stack: Stack;
    let browser: Browser;
    let site: Awaited<ReturnType<typeof serveSite>>;
    let scripts: ReadonlyMap<string, string> = new Map();
    let page = '';

    beforeAll(async () => {
      site = await serveSite((path) => {
        if (path === '/') return { type: 'text/html', body: page };
        const body = scripts.get(path);
        return body === undefined ? undefined : { type: 'text/javascript', body };
      });
      await installed.write('relay/worker.ts', OWN_WORKER);
      await installed.write(
        'relay/wrangler.jsonc',
        JSON.stringify({
          name: 'own-relay',
          main: 'worker.ts',
          compatibility_date: '2026-10-01',
          assets: { directory: '../node_modules/webengage-relay/dist/public' },
          durable_objects: {
            bindings: [
              { name: 'OUTBOX', class_name: 'Outbox' },
              { name: 'RATE_GATE', class_name: 'RateGate' },
            ],
          },
          migrations: [{ tag: 'v1', new_sqlite_classes: ['Outbox', 'RateGate'] }],
        }),
      );
      const relayConfig = join(installed.folder, 'relay/wrangler.jsonc');
      [stack, browser] = await Promise.all([
        startStack({ allowedOrigins: site.url, lingerMs: 100, relayConfig }),
        chromium.launch({ executablePath: chromiumPath(), args: LAUNCH_ARGS }),
      ]);
    });

    afterAll(async () => {
      await browser?.close();
      await stack?.stop();
      site?.stop();
    });

    test('tracked events arrive', async () => {
      scripts = await build(
        'shop',
        `import { createTracker } from 'webengage-relay';
        const tracker = createTracker<{ Bought: { Price: number } }>({ endpoint: '${stack.relayUrl}', maxWaitMs: 100 });
        await tracker.identify('johndoe');
        await tracker.track('Bought', { Price: 39.8 });`,
      );
      page = await installed.read('shop/dist/index.html');
      await (await browser.newPage()).goto(site.url);

      expect(await eventsReceived(stack, 1)).toMatchObject([
        { userId: 'johndoe', eventName: 'Bought', eventData: { Price: 39.8 } },
      ]);
    });

    test('the relay serves the script and the admin page that came with it', async () => {
      for (const path of [
        '/tracker.js',
        '/tracker.full.js',
        '/service-worker.js',
        '/inspector.js',
        '/admin/',
        '/health',
      ])
        expect((await fetch(`${stack.relayUrl}${path}`)).status, path).toBe(200);
    });
  });
});
