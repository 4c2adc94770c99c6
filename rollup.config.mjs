import { cpSync } from 'node:fs';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

// tsc has written dist/modules; TypeScript 7 has no compiler API for a Rollup plugin to call.
const modules = 'dist/modules';

/** @param leavesName of a script that leaves a name behind, which nothing in it uses */
const minify = (leavesName = false) =>
  terser({
    ecma: 2022,
    module: !leavesName,
    compress: {
      passes: 3,
      unsafe: true,
      unsafe_arrows: true,
      pure_getters: true,
      keep_fargs: false,
      hoist_funs: true,
    },
  });

// Two words for the same thing compress worse than one, and the compiler has seen to it that nothing is assigned twice.
const oneKeyword = { name: 'one-keyword', renderChunk: (code) => code.replace(/\bconst\b/g, 'let') };

/** What the Worker serves as static assets beside the script: headers, and the operator's page. */
const publicFiles = {
  name: 'public-files',
  writeBundle: () => cpSync('src/edge/public', 'dist/public', { recursive: true }),
};

export default [
  {
    input: `${modules}/tracker/script-tag.js`,
    plugins: [nodeResolve(), minify(), oneKeyword],
    output: [
      { file: 'dist/tracker.js', format: 'iife' },
      { file: 'dist/public/tracker.js', format: 'iife', plugins: [publicFiles] },
    ],
  },
  {
    input: `${modules}/tracker/index.js`,
    external: ['idb-keyval', 'valibot'],
    output: { file: 'dist/index.js', format: 'es' },
  },
  {
    // For `importScripts`, which leaves it under a name.
    input: `${modules}/tracker/service-worker.js`,
    plugins: [nodeResolve(), minify(true)],
    output: ['dist/service-worker.js', 'dist/public/service-worker.js'].map((file) => ({
      file,
      format: 'iife',
      name: 'webengageRelay',
    })),
  },
  {
    input: `${modules}/tracker/service-worker.js`,
    external: ['idb-keyval', 'valibot'],
    output: { file: 'dist/service-worker-module.js', format: 'es' },
  },
  {
    input: `${modules}/edge/worker.js`,
    external: ['cloudflare:workers', 'hono', 'ky', 'valibot'],
    output: { file: 'dist/edge.js', format: 'es' },
  },
  {
    // Found beside the package's own files, which it reads.
    input: `${modules}/cli/cli.js`,
    external: [/^node:/, 'valibot'],
    output: { file: 'dist/cli.js', format: 'es' },
  },
];
