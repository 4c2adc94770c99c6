import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { README_STUB } from '../readme-stub.ts';
import { attributesOf, QUICK } from './harness/page-text.ts';
import { realPages } from './harness/real-pages.ts';

// A few arrangements of stub and script; what they share is that each call arrives once, or says why not.

const pages = realPages();

const tag = (url: string, bundle = 'tracker.js', more = '') =>
  `<script async src="${url}/${bundle}" ${attributesOf(QUICK)} ${more}></script>`;

test('the stub is ES5', () => {
  const [, code = ''] = /<script>(.*)<\/script>/.exec(README_STUB) ?? [];

  expect(code).not.toBe('');
  expect(code).not.toMatch(/=>|`|\b(const|let|class|async|await)\b|\.\.\.|\bof\b/);
});

describe('more than one script', () => {
  const CALLS = `<script>var one = webengageRelay.track('One');</script>`;
  const MORE = `<script>var two = webengageRelay.track('Two');</script>`;

  test.each([
    ['the script twice', (url: string) => README_STUB + CALLS + MORE + tag(url) + tag(url)],
    [
      'the stub twice before the script',
      (url: string) => README_STUB + CALLS + README_STUB + MORE + tag(url),
    ],
    [
      'stub and script, twice',
      (url: string) => README_STUB + CALLS + tag(url) + README_STUB + MORE + tag(url),
    ],
    [
      'core and full bundle',
      (url: string) => README_STUB + CALLS + MORE + tag(url) + tag(url, 'tracker.full.js'),
    ],
  ])('%s: each call arrives once, and each promise settles', async (_, head) => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ head: head(visitor.relay.url) });

    await tab.run(`await Promise.all([one, two, webengageRelay.track('Three')])`);
    await tab.flush();

    await visitor.relay.have(['One', 'Two', 'Three']);
    expect(visitor.relay.names()).toHaveLength(3);
    expect(visitor.relay.devices()).toHaveLength(1);
    expect(tab.errors).toEqual([]);
  });

  test('the script again after load, as when a framework swaps the body: nothing is doubled', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open();
    await tab.run(`await webengageRelay.track('Before')`);

    await tab.run(`const script = document.createElement('script'); script.src = '${visitor.relay.url}/tracker.js';
      await new Promise((done) => { script.onload = done; document.head.append(script); });
      await webengageRelay.track('After')`);
    await tab.flush();

    await visitor.relay.have(['Before', 'After']);
    expect(visitor.relay.names()).toHaveLength(2);
  });
});

describe('settings on the stub', () => {
  const options = (text: string) => `<script>webengageRelay.options = ${text};</script>`;

  test('count like attributes, which some tag managers drop: consent pending stores and sends nothing', async () => {
    const visitor = await pages.visitor();
    const { url } = visitor.relay;
    const tab = await visitor.open({
      head: `${README_STUB}${options(`{ consent: 'pending' }`)}<script>webengageRelay.track('Early')</script>
        <script async src="${url}/tracker.full.js"></script>`,
    });

    await tab.run(`webengageRelay.track('Late')`);
    await tab.quit('');

    expect(visitor.relay.requests()).toEqual([]);
    expect(await tab.run('return [await indexedDB.databases(), Object.keys(localStorage)]')).toEqual([
      [],
      [],
    ]);
  });

  test('include the endpoint, for a script that is inline or imported', async () => {
    const code = (await readFile('dist/tracker.js', 'utf8')).replaceAll('</script', '<\\/script');
    const ways = [
      `<script>${code}</script>`,
      `<script type="module">${code}</script>`,
      `<script>import('RELAY/tracker.js')</script>`,
    ];

    for (const way of ways) {
      const visitor = await pages.visitor();
      const { url } = visitor.relay;
      const settings = JSON.stringify({ endpoint: url, ...QUICK });
      const tab = await visitor.open({ head: README_STUB + options(settings) + way.replace('RELAY', url) });

      await tab.run(`await webengageRelay.track('Arrives')`);
      await tab.flush();

      expect(visitor.relay.names()).toEqual(['Arrives']);
      expect(tab.errors).toEqual([]);
    }
  });
});

test('inline without an endpoint: calls reject, and the error names the remedy', async () => {
  const code = (await readFile('dist/tracker.js', 'utf8')).replaceAll('</script', '<\\/script');
  const visitor = await pages.visitor();
  const tab = await visitor.open({
    head: `${README_STUB}<script>var early = webengageRelay.track('Early').catch(String)</script><script>${code}</script>`,
  });

  expect(await tab.run('return early')).toMatch(/endpoint/);
  expect(await tab.run(`return webengageRelay.track('Late').catch(String)`)).toMatch(/endpoint/);
});

test('queued calls have the values of the time of the call', async () => {
  const visitor = await pages.visitor();
  const tab = await visitor.open({
    calls: `var item = { product: 'Mug' }; webengageRelay.track('Queued', item);
      item.product = 'Cup'; webengageRelay.track('Queued', item);
      item.product = 'Hat'; webengageRelay.track('Queued', item);`,
  });

  await tab.flush();

  expect(visitor.relay.events().map(({ eventData }) => eventData?.product)).toEqual(['Mug', 'Cup', 'Hat']);
});

describe('the script never arrives', () => {
  test.each([
    ['a blocker stops it', (url: string) => tag(url.replace(/:\d+$/, ':9'))],
    ['it is not found', (url: string) => tag(url, 'missing.js')],
    ['it is empty', () => `<script async src="data:text/javascript,"></script>`],
    ['there is no script tag', () => ''],
  ])('%s: promises settle within seconds, with the reason', async (_, head) => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({
      head: `${README_STUB}<script>var early = webengageRelay.track('Early').then(String, String)</script>${head(visitor.relay.url)}`,
    });

    const end = await tab.run<string>('return early');

    expect(end).toMatch(/\S{3}/);
    expect(end).not.toBe('undefined');
  });
});
