import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumPath, LAUNCH_ARGS } from './test/chromium.ts';

// Nothing waits for a clock but where it says so; a machine that does other things may stand still all the same.
const PATIENT = { testTimeout: 30_000, expect: { poll: { timeout: 10_000 } } };

/** Each ground for what only it can show. */
export default defineConfig({
  test: {
    // The relay logs a line a pass: of a test that passes nobody reads it.
    silent: 'passed-only',
    // On two cores it would be one by default, and all of it would take half as long again.
    maxWorkers: 2,
    reporters: ['default', './test/faults/table-reporter.ts', './test/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'pure',
          ...PATIENT,
          include: [
            'test/contract/**/*.test.ts',
            'test/pacing/**/*.test.ts',
            'test/plan/**/*.test.ts',
            'test/sandbox/**/*.test.ts',
            'test/cli/**/*.test.ts',
            'test/gtm/**/*.test.ts',
            'test/samples/**/*.test.ts',
            'test/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'page',
          ...PATIENT,
          include: ['test/{tracker,page-views,segment,inspector,admin}/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts'],
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
                // Nobody answers there: what a test wants answered, it answers itself.
                WEBENGAGE_HOST: 'http://127.0.0.1:9',
                ALLOWED_ORIGINS: 'https://shop.example.com,https://example.com',
                ADMIN_TOKEN: 'an-operator-token-of-enough-characters',
              },
            },
          }),
        ],
        // Whole hours are played here, and the machine may be busy.
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts', 'test/attacks/**/*.test.ts'],
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
            provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: LAUNCH_ARGS } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'journeys',
          include: ['test/journeys/**/*.test.ts'],
          // Whole systems in real processes: one at a time, and the first start of a runtime can take its time.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
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
          // Behind all others: two browsers leave nothing of a machine to anyone.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
