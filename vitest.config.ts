import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { findChromium, LAUNCH_ARGS } from './test/chromium.ts';
import { testRules } from './test/game-day/test-rules.ts';

// Tests wait for a clock only where they say so, but a busy machine may stall all the same.
const PATIENT = { testTimeout: 30_000, expect: { poll: { timeout: 10_000 } } };

// Left out by `npm run test:fast`, which is to end within 90 seconds. CI runs them.
const SLOW = [
  // They open Chromium.
  'test/tracker/{places,service-worker,script-tag/arrangements}.test.ts',
  // They bundle the package again, or start Wrangler for each command.
  'test/{size,supply-chain}.test.ts',
  'test/samples/commands.test.ts',
  // They check hundreds of thousands of rows.
  'test/cli/import/memory.test.ts',
  // They play hours, or draw thousands of inputs.
  'test/edge/game-day/**',
  'test/attacks/**',
  'test/edge/delivery/{fairness,faults,isolation,lanes,unknowns}.test.ts',
  'test/tracker/{visitor/visits,delivery/send-rate}.test.ts',
  'test/scale.test.ts',
];
const leftOut = process.env.FAST ? SLOW : [];

// A worker for each file takes twice the time. Files that share one must leave nothing behind; CI does not depend on that.
const isolate = !process.env.FAST;

// Where there is none, Playwright says so once the browser project runs: the other projects need no browser.
const executablePath = findChromium();

// How `@cloudflare/vitest-plugin` names the Worker under test of the project `edge`.
const RELAY = 'vitest-plugin-runner-edge';

/** Another Worker with bindings to the relay's entrypoint, as of some day. Tests call it as `env[name]`. */
function caller(name: string, compatibilityDate: string) {
  const entrypoint = { name: RELAY, entrypoint: 'RelayEntrypoint' };
  return {
    name,
    compatibilityDate,
    modules: true,
    scriptPath: './test/edge/rpc/caller.js',
    serviceBindings: {
      RELAY: entrypoint,
      NAMED: { ...entrypoint, props: { name: 'shop.eu-1', source: 'shop', lane: 'import' } },
      WRONG: { ...entrypoint, props: { naem: 'shop' } },
    },
  };
}

/** One project for each environment: it holds what only that environment can show. */
export default defineConfig({
  test: {
    // The relay logs a line per pass: no one reads those of a test that passes.
    silent: 'passed-only',
    // The default on two cores is one worker, and the run would take half as long again.
    maxWorkers: 2,
    reporters: ['default', './test/faults/table-reporter.ts', './test/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'pure',
          ...PATIENT,
          isolate,
          include: [
            'test/contract/**/*.test.ts',
            'test/pacing/**/*.test.ts',
            'test/plan/**/*.test.ts',
            'test/sandbox/**/*.test.ts',
            'test/server/**/*.test.ts',
            'test/import/**/*.test.ts',
            'test/cli/**/*.test.ts',
            'test/release/**/*.test.ts',
            'test/gtm/**/*.test.ts',
            'test/samples/**/*.test.ts',
            'test/*.test.ts',
          ],
          exclude: ['test/sandbox/page/**', ...leftOut],
        },
      },
      {
        test: {
          name: 'page',
          ...PATIENT,
          isolate,
          include: [
            'test/{tracker,page-views,webengage,segment,inspector,admin,sandbox/page,ui}/**/*.test.{ts,tsx}',
          ],
          exclude: ['test/**/*.browser.test.ts', ...leftOut],
          environment: 'happy-dom',
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.jsonc' },
            miniflare: {
              bindings: {
                WEBENGAGE_API_KEY: 'test-key-that-must-not-leak',
                WEBENGAGE_LICENSE_CODE: '~test',
                // Nothing answers there: a test that needs a response provides it.
                WEBENGAGE_HOST: 'http://127.0.0.1:9',
                ALLOWED_ORIGINS: 'https://shop.example.com,https://example.com',
                ADMIN_TOKEN: 'an-operator-token-of-enough-characters',
                METRICS_TOKEN: 'a-metrics-token-of-enough-characters',
              },
              serviceBindings: {
                CALLER: { name: 'caller', entrypoint: 'Caller' },
                OLD_CALLER: { name: 'old-caller', entrypoint: 'Caller' },
                PROMTOOL: testRules,
              },
              workers: [caller('caller', '2026-10-01'), caller('old-caller', '2024-09-23')],
            },
          }),
        ],
        // These tests play whole hours, and the machine may be busy.
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts', 'test/attacks/**/*.test.ts'],
          exclude: leftOut,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'browser',
          ...PATIENT,
          include: ['test/{tracker,page-views,inspector}/**/*.browser.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { ...(executablePath && { executablePath }), args: LAUNCH_ARGS },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'journeys',
          include: ['test/journeys/**/*.test.ts'],
          // Whole systems in real processes, which mostly wait. After the others, which use up the whole machine.
          sequence: { groupOrder: 1 },
          // A free port may be taken by the time a process listens on it.
          retry: 1,
          testTimeout: 60_000,
          // The first start of a runtime can be slow.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'examples',
          include: ['test/examples/**/*.test.ts'],
          // A free port may be taken by the time a process listens on it.
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'real-pages',
          include: ['test/real-pages/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          // After all others: two browsers use up the whole machine.
          sequence: { groupOrder: 2 },
          maxWorkers: 2,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
