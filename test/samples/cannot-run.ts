/** Samples that nothing here can run, each with why. */
export const CANNOT_RUN: Readonly<Record<string, string>> = {
  'docs/guides/deploying.md#by-a-button md':
    'a button at Cloudflare, for a public repository; test/package.test.ts has what it asks for',
};
