/** Where code runs: its globals, and what a document assumes. */
export type Environment = {
  readonly lib: readonly string[];
  readonly types: readonly string[];
  /** What the samples name and do not declare, as documents say in words. */
  readonly given: string;
  /** What they import and the package does not bring, as far as they use it. */
  readonly modules?: Readonly<Record<string, string>>;
};

export const ENVIRONMENTS = {
  page: {
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: [],
    given: `
      import type { createTracker as make, Tracker } from 'webengage-relay';
      declare global {
        /** From npm, a tracker that has been created; by the script tag, the global. */
        const tracker: Tracker;
        const webengageRelay: Tracker & { readonly createTracker: typeof make };
        /** Who is signed in, as the site knows it. */
        const user: { readonly id: string; readonly email: string };
        /** As Vite has it. */
        interface ImportMeta { readonly env: { readonly DEV: boolean } }
      }`,
    modules: {
      react: 'export declare function useEffect(effect: () => void, dependencies: readonly unknown[]): void;',
    },
  },
  /** The console of a page, where a name in a loop is any text. */
  console: {
    lib: ['es2023', 'dom'],
    types: [],
    given: `
      import type { Tracker } from 'webengage-relay';
      declare global {
        const webengageRelay: Omit<Tracker, 'on'> & { on(name: string, listener: (payload: object) => void): unknown };
      }`,
  },
  serviceWorker: {
    lib: ['es2023', 'webworker'],
    types: [],
    given: `
      import type * as entry from 'webengage-relay/service-worker';
      declare global {
        /** What importScripts leaves. */
        const webengageRelay: typeof entry;
      }`,
  },
  /** The site's own server. */
  server: { lib: ['es2023'], types: ['node'], given: '' },
  /** A Worker of Cloudflare's. */
  worker: { lib: ['es2023'], types: ['@cloudflare/workers-types'], given: '' },
} satisfies Readonly<Record<string, Environment>>;

export type EnvironmentName = keyof typeof ENVIRONMENTS;

/** Samples whose environment is not a page. */
export const ELSEWHERE: Readonly<Record<string, EnvironmentName>> = {
  'docs/guides/service-worker.md js': 'serviceWorker',
  'docs/guides/identity-tokens.md#making-a-token js': 'server',
  'docs/guides/identity-tokens.md#making-a-token js 2': 'server',
  'docs/guides/alerts.md#checking-the-signature js': 'server',
  'docs/guides/sending-from-a-server.md#the-client ts': 'server',
  'docs/guides/sending-from-a-server.md#serverless-functions-and-workers ts': 'worker',
  'docs/guides/sending-from-a-server.md#a-journal-on-disk ts': 'server',
  'docs/guides/sending-from-a-server.md#typed-events ts': 'server',
  'docs/guides/sending-from-a-worker.md#set-up js': 'worker',
  'docs/guides/sending-from-a-worker.md#calls ts': 'worker',
  'docs/guides/sending-from-a-worker.md#calls ts 2': 'worker',
  'docs/guides/sending-from-a-worker.md#with-a-tracking-plan js': 'worker',
  'docs/guides/tracking-plan.md#at-the-relay js': 'worker',
  'docs/guides/troubleshooting.md js': 'console',
};
