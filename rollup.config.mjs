import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { SHORT_NAMES } from './short-names.mjs';

// tsc writes dist/modules first: TypeScript 7 has no compiler API for a Rollup plugin to call.
const modules = 'dist/modules';

/**
 * @param leavesName for a script that leaves a global name, which nothing in it uses
 * @param isTracker shortens the names that only the tracker itself reads
 */
const minify = ({ leavesName = false, isTracker = false } = {}) =>
  terser({
    ecma: 2022,
    module: !leavesName,
    // A classic script is read in the encoding of its page if its server names none.
    format: { ascii_only: true },
    mangle: isTracker
      ? { properties: { builtins: true, regex: new RegExp(`^(${SHORT_NAMES.join('|')})$`) } }
      : {},
    compress: {
      passes: 4,
      unsafe: true,
      unsafe_arrows: true,
      pure_getters: true,
      keep_fargs: false,
      // In much code, repeated text compresses better than bodies with their arguments written in.
      ...(isTracker ? { inline: 0 } : { hoist_funs: true }),
      // `x === 0`, like all other comparisons: similar text compresses better.
      lhs_constants: false,
    },
  });

// One keyword compresses better than two, and the compiler has checked that no constant is reassigned. It
// runs before the minifier, which joins declarations of one kind.
const oneKeyword = { name: 'one-keyword', renderChunk: (code) => code.replace(/\bconst\b/g, 'let') };

// The same for functions: declared and assigned ones look alike. No function of the tracker uses `this`, or
// is called before the line that declares it has run. test/short-names.test.ts loads the result.
const oneFunction = {
  name: 'one-function',
  renderChunk: (code) =>
    code.replace(/^(\s*)(async )?function ([\w$]+)\(([^()]*)\) \{/gm, '$1let $3 = $2($4) => {'),
};

// `tracker.js` refuses add-ons, and nothing else sets these: the minifier then drops the code around them.
const noAddOns = {
  name: 'no-add-ons',
  renderChunk: (code) => code.replace(/\bpage\.(tokens|awaitsId)\b(?! \?\?=)/g, 'undefined'),
};

const PUBLIC = 'dist/public';

/** The Worker's static assets beside the scripts: headers, and any file that you add. */
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
      `${ADMIN}/dead-letters/dead-letters.css`,
    ];
    const css = styles.map((file) => readFileSync(file, 'utf8')).join('\n');
    writeFileSync(`${PUBLIC}/admin/admin.css`, css);
  },
};

const SANDBOX = 'src/sandbox';

/** The configuration of the sandbox's Worker, and its page. */
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

// The only dependency that a page loads. valibot is resolved, so that it can be shaken out.
const trackerNeeds = ['idb-keyval'];

const integrityOf = (code) => `sha384-${createHash('sha384').update(code).digest('base64')}`;

/**
 * Prints the `integrity` of a script tag:
 * https://developer.mozilla.org/docs/Web/Security/Subresource_Integrity
 */
const printIntegrity = {
  name: 'print-integrity',
  writeBundle: ({ file }, bundle) => {
    for (const { code } of Object.values(bundle)) console.log(`${basename(file)} ${integrityOf(code)}`);
  },
};

/**
 * Records the permanent URL of a script's bytes, and their hash. Removes those of earlier builds.
 *
 * @param script `tracker.js`, whose name is at the top of the file, or another, whose name is below it
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
        // By its full name, not with a `*`: `/tracker.*.js` would match `/tracker.full.js` too.
        writeFileSync(headers, readFileSync(headers, 'utf8').replace(`/${stem}.<hash>.js`, `/${fileName}`));
      }
    },
  };
};

/**
 * @param changes plugins that change the code before it is minified
 * @param plugins run once, with the script that is built first
 */
const trackerScript = (script, input, { changes = [], plugins = [] } = {}) => ({
  input: `${modules}/tracker/script-tag/${input}`,
  plugins: [nodeResolve(), ...changes, oneKeyword, oneFunction, minify({ isTracker: true })],
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

/** The JSON Schema with which editors check a tracking plan. */
const planSchema = {
  name: 'plan-schema',
  writeBundle: async () => {
    const { planJsonSchema } = await import(`./${modules}/plan/json-schema.js`);
    writeFileSync('dist/tracking-plan.schema.json', `${JSON.stringify(planJsonSchema(), null, 2)}\n`);
  },
};

/** The licenses of the packages that a file holds: they ask to be kept with it. */
function licensesOf({ moduleIds }) {
  // Modules that a plugin has made begin with a null character.
  const folders = moduleIds.map((id) => /[^\0]*\/node_modules\/(@[^/]+\/)?[^/?]+/.exec(id)?.[0]);
  const texts = [...new Set(folders)].filter(Boolean).map((folder) => {
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    return `${folder.split('node_modules/').at(-1)}\n\n${readFileSync(`${folder}/${file}`, 'utf8')}`;
  });
  return texts.length > 0 ? `/*!\nThis file contains these packages:\n\n${texts.join('\n')}*/` : '';
}

export default [
  trackerScript('tracker.js', 'core.js', { changes: [noAddOns], plugins: [publicFiles] }),
  trackerScript('tracker.full.js', 'full.js'),
  {
    input: `${modules}/tracker/index.js`,
    external: trackerNeeds,
    plugins: [nodeResolve()],
    output: { file: 'dist/index.js', format: 'es' },
  },
  {
    // For `importScripts`: the script leaves a global name.
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
    input: `${modules}/webengage/script-tag.js`,
    plugins: [nodeResolve(), oneKeyword, minify()],
    output: [
      { file: 'dist/webengage.js', format: 'iife', plugins: [printIntegrity] },
      { file: `${PUBLIC}/webengage.js`, format: 'iife' },
    ],
  },
  {
    input: `${modules}/webengage/index.js`,
    external: trackerNeeds,
    plugins: [nodeResolve()],
    output: { file: 'dist/webengage-module.js', format: 'es' },
  },
  {
    // Minified, so that it is as small for a page that imports it as for a site that bundles it.
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
    input: `${modules}/server/index.js`,
    plugins: [nodeResolve()],
    output: { file: 'dist/server.js', format: 'es' },
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
    // In place of WebEngage's own SDK.
    input: `${modules}/sandbox/page/sdk.js`,
    plugins: [terser({ ecma: 2022 })],
    output: { file: 'dist/sandbox/public/sdk.js', format: 'iife' },
  },
  {
    input: `${modules}/sandbox/worker.js`,
    external: ['cloudflare:workers', /^hono/, 'valibot'],
    output: { file: 'dist/sandbox/worker.js', format: 'es', plugins: [sandboxFiles] },
  },
  {
    // What npx starts. It imports `cli.js` once it knows that Node can run it.
    input: `${modules}/cli/bin.js`,
    external: /\/cli\.js$/,
    output: { file: 'dist/bin.js', format: 'es' },
  },
  {
    // Built beside the package's own files, which it reads. With its libraries in it, nobody installs them. commander
    // asks for Node 22.12 so that it can be required; in a bundle it runs wherever this package does.
    input: `${modules}/cli/cli.js`,
    external: [/^node:/, 'ky', 'valibot'],
    plugins: [
      nodeResolve({ preferBuiltins: true }),
      // The progress bar is CommonJS.
      commonjs(),
      terser({
        ecma: 2022,
        module: true,
        // With the names that a stack trace shows.
        keep_fnames: true,
        // A function that is written into its only caller is made anew in each call: for each row of an import.
        compress: { reduce_funcs: false },
      }),
      planSchema,
    ],
    output: { file: 'dist/cli.js', format: 'es', banner: licensesOf },
  },
];
