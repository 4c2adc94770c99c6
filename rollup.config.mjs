import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { SHORT_NAMES } from './short-names.mjs';

// tsc has written dist/modules; TypeScript 7 has no compiler API for a Rollup plugin to call.
const modules = 'dist/modules';

/**
 * @param leavesName of a script that leaves a name behind, which nothing in it uses
 * @param isTracker has short names for what only the tracker itself reads
 */
const minify = ({ leavesName = false, isTracker = false } = {}) =>
  terser({
    ecma: 2022,
    module: !leavesName,
    // A classic script is read in the encoding of its page, if its server names none.
    format: { ascii_only: true },
    mangle: isTracker ? { properties: { regex: new RegExp(`^(${SHORT_NAMES.join('|')})$`) } } : {},
    compress: {
      passes: 4,
      unsafe: true,
      unsafe_arrows: true,
      pure_getters: true,
      keep_fargs: false,
      // Of much code repeated text compresses better than a body with its arguments written in.
      ...(isTracker ? { inline: 0 } : { hoist_funs: true }),
      // `x === 0`, as the rest of what is compared: what is alike compresses better.
      lhs_constants: false,
    },
  });

// Two words for the same thing compress worse than one, and the compiler has seen to it that nothing is assigned twice.
// Before it is minified, which joins declarations of one kind.
const oneKeyword = { name: 'one-keyword', renderChunk: (code) => code.replace(/\bconst\b/g, 'let') };

// Likewise a function that is declared and one that is assigned. None of the tracker's uses `this`, or is called before the
// line that declares it has run: test/short-names.test.ts loads what comes of it.
const oneFunction = {
  name: 'one-function',
  renderChunk: (code) =>
    code.replace(/^(\s*)(async )?function (\w+)\(([^()]*)\) \{/gm, '$1let $3 = $2($4) => {'),
};

const PUBLIC = 'dist/public';

/** What the Worker serves as static assets beside the scripts: headers, and what you put there. */
const publicFiles = {
  name: 'public-files',
  writeBundle: () => cpSync('src/edge/public', PUBLIC, { recursive: true }),
};

const ADMIN = 'src/admin';

/** The operator's page around its script: one stylesheet, in this order. */
const adminFiles = {
  name: 'admin-files',
  writeBundle: () => {
    for (const file of ['index.html', 'icon.svg']) cpSync(`${ADMIN}/${file}`, `${PUBLIC}/admin/${file}`);
    const styles = [
      'src/ui/look.css',
      'node_modules/uplot/dist/uPlot.min.css',
      `${ADMIN}/admin.css`,
      `${ADMIN}/letters/letters.css`,
    ];
    const css = styles.map((file) => readFileSync(file, 'utf8')).join('\n');
    writeFileSync(`${PUBLIC}/admin/admin.css`, css);
  },
};

const SANDBOX = 'src/sandbox';

/** What the sandbox's Worker runs by, and its page. */
const sandboxFiles = {
  name: 'sandbox-files',
  writeBundle: () => {
    for (const file of ['index.html', 'icon.svg', 'sandbox.css'])
      cpSync(`${SANDBOX}/page/${file}`, `dist/sandbox/public/${file}`);
    cpSync('src/ui/look.css', 'dist/sandbox/public/look.css');
    const config = readFileSync(`${SANDBOX}/wrangler.jsonc`, 'utf8');
    writeFileSync(
      'dist/sandbox/wrangler.jsonc',
      config.replace('"worker.ts"', '"worker.js"').replace('"../../dist/sandbox/public"', '"./public"'),
    );
  },
};

// What is left out here, a page does not load: valibot is resolved to be shaken out.
const trackerNeeds = ['idb-keyval'];

const integrityOf = (code) => `sha384-${createHash('sha384').update(code).digest('base64')}`;

/** Prints what a page may write as `integrity` of a script tag: https://developer.mozilla.org/docs/Web/Security/Subresource_Integrity */
const printIntegrity = {
  name: 'print-integrity',
  writeBundle: ({ file }, bundle) => {
    for (const { code } of Object.values(bundle)) console.log(`${basename(file)} ${integrityOf(code)}`);
  },
};

/**
 * Says under which URL the bytes of a script are served for good, and under which hash: one of them, whatever was built before.
 *
 * @param script `tracker.js`, whose name stands at the top of the file, or another, which stands below it
 */
const pinned = (script) => {
  const stem = script.replace(/\.js$/, '');
  const [file, headers] = ['dist/integrity.json', `${PUBLIC}/_headers`];
  return {
    name: 'pinned',
    generateBundle: () => {
      const earlier = existsSync(PUBLIC) ? readdirSync(PUBLIC) : [];
      for (const name of earlier)
        if (name.startsWith(`${stem}.`) && /^[\da-f]{12}\.js$/.test(name.slice(stem.length + 1)))
          rmSync(`${PUBLIC}/${name}`);
    },
    writeBundle: (_, bundle) => {
      for (const { fileName, code } of Object.values(bundle)) {
        const told = { name: script, integrity: integrityOf(code), url: `/${fileName}` };
        const said =
          script === 'tracker.js' ? told : { ...JSON.parse(readFileSync(file, 'utf8')), full: told };
        writeFileSync(file, `${JSON.stringify(said, null, 2)}\n`);
        // By its own name, not by a `*`: `/tracker.*.js` would be `/tracker.full.js` too.
        writeFileSync(headers, readFileSync(headers, 'utf8').replace(`/${stem}.<hash>.js`, `/${fileName}`));
      }
    },
  };
};

/** @param plugins what is done once, beside the script that is built first */
const trackerScript = (script, input, plugins = []) => ({
  input: `${modules}/tracker/script-tag/${input}`,
  plugins: [nodeResolve(), oneKeyword, oneFunction, minify({ isTracker: true })],
  output: [
    { file: `dist/${script}`, format: 'iife', plugins: [printIntegrity] },
    { file: `${PUBLIC}/${script}`, format: 'iife' },
    {
      dir: PUBLIC,
      entryFileNames: script.replace(/js$/, '[hash:12].js'),
      hashCharacters: 'hex',
      format: 'iife',
      plugins: [...plugins, pinned(script)],
    },
  ],
});

/** What an editor checks a tracking plan by. */
const planSchema = {
  name: 'plan-schema',
  writeBundle: async () => {
    const { planJsonSchema } = await import(`./${modules}/plan/json-schema.js`);
    writeFileSync('dist/tracking-plan.schema.json', `${JSON.stringify(planJsonSchema(), null, 2)}\n`);
  },
};

export default [
  trackerScript('tracker.js', 'core.js', [publicFiles]),
  trackerScript('tracker.full.js', 'full.js'),
  {
    input: `${modules}/tracker/index.js`,
    external: trackerNeeds,
    plugins: [nodeResolve()],
    output: { file: 'dist/index.js', format: 'es' },
  },
  {
    // For `importScripts`, which leaves it under a name.
    input: `${modules}/tracker/service-worker.js`,
    plugins: [nodeResolve(), oneKeyword, oneFunction, minify({ leavesName: true, isTracker: true })],
    output: [
      {
        file: 'dist/service-worker.js',
        format: 'iife',
        name: 'webengageRelay',
        plugins: [printIntegrity],
      },
      { file: `${PUBLIC}/service-worker.js`, format: 'iife', name: 'webengageRelay' },
    ],
  },
  {
    input: `${modules}/tracker/service-worker.js`,
    external: trackerNeeds,
    plugins: [nodeResolve()],
    output: { file: 'dist/service-worker-module.js', format: 'es' },
  },
  {
    input: `${modules}/page-views/script-tag.js`,
    plugins: [oneKeyword, minify()],
    output: [
      { file: 'dist/page-views.js', format: 'iife', plugins: [printIntegrity] },
      { file: `${PUBLIC}/page-views.js`, format: 'iife' },
    ],
  },
  {
    input: `${modules}/page-views/page-views.js`,
    output: { file: 'dist/page-views-module.js', format: 'es' },
  },
  {
    // As small for who imports it from a page as for who bundles it.
    input: `${modules}/segment/segment.js`,
    plugins: [oneKeyword, minify()],
    output: { file: 'dist/segment.js', format: 'es' },
  },
  {
    input: `${modules}/inspector/script-tag.js`,
    plugins: [nodeResolve(), oneKeyword, minify()],
    output: [
      { file: 'dist/inspector.js', format: 'iife', plugins: [printIntegrity] },
      { file: `${PUBLIC}/inspector.js`, format: 'iife' },
    ],
  },
  {
    input: `${modules}/inspector/index.js`,
    external: trackerNeeds,
    plugins: [nodeResolve()],
    output: { file: 'dist/inspector-module.js', format: 'es' },
  },
  {
    input: `${modules}/admin/admin.js`,
    plugins: [nodeResolve(), terser({ ecma: 2022, module: true })],
    output: {
      file: `${PUBLIC}/admin/admin.js`,
      format: 'es',
      banner:
        '/*! With Preact (c) 2015-present Jason Miller, and uPlot (c) Leon Sorokin: both MIT licensed. */',
      plugins: [adminFiles],
    },
  },
  {
    input: `${modules}/edge/worker.js`,
    external: ['cloudflare:workers', 'hono', 'jose', 'ky', 'valibot'],
    output: { file: 'dist/edge.js', format: 'es' },
  },
  {
    input: `${modules}/sandbox/page/sandbox.js`,
    plugins: [terser({ ecma: 2022, module: true })],
    output: { file: 'dist/sandbox/public/sandbox.js', format: 'es' },
  },
  {
    input: `${modules}/sandbox/worker.js`,
    external: ['cloudflare:workers', /^hono/, 'valibot'],
    output: { file: 'dist/sandbox/worker.js', format: 'es', plugins: [sandboxFiles] },
  },
  {
    // Found beside the package's own files, which it reads. `bin.js` imports it once it knows that Node can run it.
    input: { bin: `${modules}/cli/bin.js`, cli: `${modules}/cli/cli.js` },
    external: [/^node:/, 'valibot'],
    plugins: [planSchema],
    output: { dir: 'dist', format: 'es' },
  },
];
