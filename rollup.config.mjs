import { cpSync } from 'node:fs';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

// tsc has written dist/modules; TypeScript 7 has no compiler API for a Rollup plugin to call.
const modules = 'dist/modules';

const minify = terser({
  ecma: 2022,
  module: true,
  compress: {
    passes: 3,
    sequences: false,
    unsafe: true,
    unsafe_arrows: true,
    pure_getters: true,
    keep_fargs: false,
  },
});

/** What the Worker serves as static assets beside the script: headers, and the operator's page. */
const publicFiles = {
  name: 'public-files',
  writeBundle: () => cpSync('src/edge/public', 'dist/public', { recursive: true }),
};

export default [
  {
    input: `${modules}/tracker/script-tag.js`,
    plugins: [nodeResolve(), minify],
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
    input: `${modules}/edge/worker.js`,
    external: ['cloudflare:workers', 'hono', 'ky', 'valibot'],
    output: { file: 'dist/edge.js', format: 'es' },
  },
];
