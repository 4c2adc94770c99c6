import { README_STUB } from '../../readme-stub.ts';

/** The options of a tracker, by their names in JavaScript. */
export type Options = Readonly<Record<string, string | number | boolean>>;

/** A page of a site, in the order in which its parts stand. All code is JavaScript, as text. */
export type PageParts = {
  /** What the page does to itself before anything of ours is there. */
  readonly before?: string;
  /** Calls made on the stub, before the script has loaded. */
  readonly calls?: string;
  /** Runs in the page's first task: right behind the script, which then is not async. */
  readonly firstTask?: string;
  readonly options?: Options;
  readonly bundle?: 'tracker.js' | 'tracker.full.js';
  /** In place of the stub and the script tag. */
  readonly head?: string;
};

// Nothing waits for a pace, unless a test is about the pace.
export const QUICK: Options = { maxWaitMs: 100, requestsPerMinute: 500, burst: 100 };

/** `batchSize: 10` as `data-batch-size="10"`. */
export function attributesOf(options: Options): string {
  return Object.entries(options)
    .map(([name, value]) => {
      const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      return `data-${kebab}="${value}"`;
    })
    .join(' ');
}

/** Keeps the tracker's events. By index and without any method of an array: the page may have replaced them. */
const KEEP_EVENTS = `
  var pageEvents = [];
  (function (names) {
    function keep(name) {
      webengageRelay.on(name, function (about) { pageEvents[pageEvents.length] = { name: name, about: about }; });
    }
    for (var i = 0; i < names.length; i++) keep(names[i]);
  })(['delivered', 'rejected', 'dropped', 'repaired', 'retrying', 'degraded']);`;

/** @param relayUrl where the script comes from, and where records go to */
export function pageText(relayUrl: string, parts: PageParts): string {
  const { before = '', calls = '', firstTask, options = {}, bundle = 'tracker.js' } = parts;
  const attributes = attributesOf({ ...QUICK, ...options });
  const how = firstTask === undefined ? 'async ' : '';
  const head =
    parts.head ??
    `${README_STUB}
    <script>${KEEP_EVENTS} ${calls}</script>
    <script ${how}src="${relayUrl}/${bundle}" ${attributes}></script>`;
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>
    <script>${before}</script>
    ${head}
    ${firstTask === undefined ? '' : `<script>${firstTask}</script>`}
    <body><main>A page of the site</main></body>`;
}
