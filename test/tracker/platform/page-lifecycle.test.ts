import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isClosed, watchPage, whenActivated } from '../../../src/tracker/platform/page-lifecycle.ts';
import { fakeBrowser, quiet } from '../../fakes/browser/browser.ts';
import { settled } from '../../fakes/settled.ts';

const heard: string[] = [];
watchPage({
  hidden: () => heard.push('hidden'),
  visible: () => heard.push('visible'),
  online: () => heard.push('online'),
});

function page(state: {
  readonly visibilityState?: DocumentVisibilityState;
  readonly prerendering?: boolean;
}) {
  for (const [name, value] of Object.entries(state))
    Object.defineProperty(document, name, { value, configurable: true });
}

const toDocument = (name: string) => document.dispatchEvent(new Event(name));
const toWindow = (name: string, more: object = {}) =>
  window.dispatchEvent(Object.assign(new Event(name), more));

beforeEach(() => {
  heard.length = 0;
});

afterEach(() => page({ visibilityState: 'visible', prerendering: false }));

describe('a window', () => {
  const setClosed = (value: unknown) =>
    Object.defineProperty(globalThis, 'closed', { value, configurable: true });
  const own = Object.getOwnPropertyDescriptor(globalThis, 'closed') ?? { value: undefined };

  afterEach(() => {
    Object.defineProperty(globalThis, 'closed', { ...own, configurable: true });
  });

  test('is open until the page closes it', () => {
    const before = isClosed();
    setClosed(true);

    expect([before, isClosed()]).toEqual([false, true]);
  });

  test.each([undefined, 'yes', () => true])('is open if the page calls %s of its own `closed`', (own) => {
    setClosed(own);

    expect(isClosed()).toBe(false);
  });
});

describe('a page', () => {
  test('reports when it is hidden and when it is left', () => {
    page({ visibilityState: 'hidden' });
    toDocument('visibilitychange');
    toWindow('pagehide');

    expect(heard).toEqual(['hidden', 'hidden']);
  });

  test('reports when the visitor is back: shown, focused, or restored from the back/forward cache', () => {
    page({ visibilityState: 'visible' });
    toDocument('visibilitychange');
    toWindow('focus');
    toWindow('pageshow', { persisted: true });
    toWindow('pageshow', { persisted: false });

    expect(heard).toEqual(['visible', 'visible', 'visible']);
  });

  test('reports when the network is back', () => {
    toWindow('online');

    expect(heard).toEqual(['online']);
  });

  test('that was prerendered and discarded has no effect', () => {
    page({ prerendering: true, visibilityState: 'hidden' });
    toDocument('visibilitychange');
    toWindow('pagehide');

    expect(heard).toEqual([]);
  });

  test('never listens to an event that blocks the back/forward cache', () => {
    for (const name of ['unload', 'beforeunload']) toWindow(name);

    expect(heard).toEqual([]);
  });
});

describe('a prerendered page', () => {
  test('is activated when the visitor comes to it, and any other page at once', async () => {
    let seen = 0;
    void whenActivated().then(() => seen++);
    await settled();
    page({ prerendering: true });
    void whenActivated().then(() => seen++);
    await settled();
    const ahead = seen;
    toDocument('prerenderingchange');
    await settled();

    expect([ahead, seen]).toEqual([1, 2]);
  });

  test('sends and stores nothing until its activation, and then everything', async () => {
    let show = () => {};
    const ready = new Promise<void>((resolve) => {
      show = resolve;
    });
    const { open, buffered, sent, disk, map, time } = fakeBrowser();
    const { tracker, online, show: focus } = open({}, { shown: ready });
    void tracker.identify('johndoe');
    for (let n = 1; n <= 30; n++) void tracker.track(`e${n}`);
    void tracker.flush();
    focus();
    online();
    await time.pass(60_000);
    const ahead = [await buffered(), sent(), await disk.state.get('visitor'), [...map.keys()]];

    show();
    await quiet();
    await time.pass(10_000);

    expect(ahead).toEqual([[], [], undefined, []]);
    expect(sent().flat()).toEqual(['identify johndoe', ...Array.from({ length: 30 }, (_, n) => `e${n + 1}`)]);
  });

  test('writes nothing into the database when the network comes back', async () => {
    const { open, disk } = fakeBrowser();
    const { online } = open({}, { shown: new Promise(() => {}) });

    online();
    await quiet();

    expect(await disk.state.get('rate')).toBeUndefined();
    expect(await disk.state.get('visitor')).toBeUndefined();
  });
});
