import { afterEach, describe, expect, test, vi } from 'vitest';
import '../../src/inspector/index.ts';
import type { RelayInspector } from '../../src/inspector/index.ts';
import type { InspectedTracker } from '../../src/inspector/subscribe.ts';
import type { FlushResult, TrackerEvents } from '../../src/tracker/index.ts';
import { EVENTS, inspectedTracker } from '../fakes/browser/inspected.ts';

const page = globalThis as { webengageRelay?: unknown };

afterEach(() => {
  document.body.replaceChildren();
  localStorage.clear();
  page.webengageRelay = undefined;
});

/** An inspector in the page, and what can be read of its parts. */
function inspect(tracker?: InspectedTracker, isOpen = true) {
  const inspector = document.createElement('relay-inspector');
  inspector.setAttribute('endpoint', 'https://t.example.com');
  if (isOpen) inspector.setAttribute('open', '');
  if (tracker) inspector.tracker = tracker;
  document.body.append(inspector);
  return { inspector, ...partsOf(inspector) };
}

function partsOf(inspector: RelayInspector) {
  const { shadowRoot } = inspector;
  const text = (selector: string) =>
    [...(shadowRoot?.querySelectorAll(selector) ?? [])].map(({ textContent }) => textContent).join(' | ');
  return {
    text,
    part: (name: string) => text(`[aria-label="${name}"]`),
    press: (name: string) =>
      [...(shadowRoot?.querySelectorAll('button') ?? [])]
        .find(({ textContent }) => textContent === name)
        ?.click(),
  };
}

const emitAll = ({ emit }: ReturnType<typeof inspectedTracker>) => {
  for (const [name, payload] of Object.entries(EVENTS))
    emit(name as keyof TrackerEvents, payload as TrackerEvents['delivered']);
};

describe('an inspector', () => {
  test('shows counts by reason, and what is reported while it exists', async () => {
    const watched = inspectedTracker({ tracked: 7, delivered: 3, rejected: 1 });
    const { text, part } = inspect(watched.tracker);
    await expect.poll(() => text('.outcomes')).toContain('delivered3');

    emitAll(watched);

    await expect.poll(() => text('.brief')).toBe('5 errors');
    expect(text('.outcomes div')).toBe(
      'waiting3 | delivered3 | rejected1 | expired0 | over max records0 | opted out0',
    );
    await expect.poll(() => text('li')).toContain('eventData.Price must be a number');
    expect(text('.kind')).toBe(
      'degraded | retrying | repaired | dropped | rejected | retrying | rejected | delivered',
    );
    expect(part('Batches')).toContain('3 records, 1 of them duplicates');
  });

  test('groups attributes whose type has changed', async () => {
    const watched = inspectedTracker();
    const { text } = inspect(watched.tracker);
    const kept = {
      ...EVENTS.repaired,
      rule: 'was a number before, and is a string now',
      done: 'kept',
    } as const;

    watched.emit('repaired', kept);
    watched.emit('repaired', kept);

    await expect
      .poll(() => text('[aria-label="Type drift"] tbody'))
      .toContain('BoughteventData.Note was a number before, and is a string now2');
  });

  test('writes visitors’ text as text', async () => {
    const watched = inspectedTracker();
    const { inspector, text } = inspect(watched.tracker);

    watched.emit('repaired', { ...EVENTS.repaired, record: '<img src=x onerror=alert(1)>' });

    await expect.poll(() => text('.about')).toBe('<img src=x onerror=alert(1)>');
    expect(inspector.shadowRoot?.querySelector('img')).toBeNull();
  });

  test('clears its lists and goes on listening', async () => {
    const watched = inspectedTracker();
    const { text, press } = inspect(watched.tracker);
    watched.emit('repaired', EVENTS.repaired);
    await expect.poll(() => text('li')).not.toBe('');

    press('Clear lists');

    await expect.poll(() => text('li')).toBe('');
    expect(text('.brief')).toBe('no errors');
    watched.emit('repaired', EVENTS.repaired);
    expect(text('.brief')).toBe('1 error');
  });

  test('keeps the notice that records are lost with the page when its lists are cleared', async () => {
    const watched = inspectedTracker();
    const { text, press } = inspect(watched.tracker);
    watched.emit('degraded', EVENTS.degraded);
    await expect.poll(() => text('.notices')).toContain('can’t be listed: no IndexedDB');

    press('Clear lists');

    await expect.poll(() => text('li')).toBe('');
    expect(text('.notices')).toContain('can’t be listed: no IndexedDB');
  });

  test('flushes once at a time, however often the button is pressed', async () => {
    const watched = inspectedTracker();
    const { promise, resolve } = Promise.withResolvers<FlushResult>();
    const flush = vi.fn(() => promise);
    const { text, press } = inspect({ ...watched.tracker, flush });

    press('Flush now');
    press('Flush now');
    expect(text('.said')).toBe('Sending …');
    expect(flush).toHaveBeenCalledTimes(1);
    resolve({ settled: true });
    await expect.poll(() => text('.said')).toContain('settled');
    press('Flush now');

    expect(flush).toHaveBeenCalledTimes(2);
  });

  test('flushes and shows the outcome', async () => {
    const watched = inspectedTracker();
    const { part, text, press } = inspect(watched.tracker);
    press('Flush now');
    await expect.poll(() => text('.said')).toBe('Every buffered record is settled.');

    watched.flushesTo({ settled: false, reason: 'network', retryInMs: 8_000 });
    press('Flush now');

    await expect
      .poll(() => text('.said'))
      .toBe('Kept, again in 8 s. network: the page got no answer from the relay.');
    expect(part('Errors')).toContain('None so far.');
  });

  test('asks the tracker nothing while it is closed, and shows the number of errors', async () => {
    const watched = inspectedTracker();
    const stats = vi.fn(watched.tracker.stats);
    const { text, inspector } = inspect({ ...watched.tracker, stats }, false);

    watched.emit('repaired', EVENTS.repaired);

    expect(text('.brief')).toBe('1 error');
    expect(stats).not.toHaveBeenCalled();
    inspector.setAttribute('open', '');
    await expect.poll(() => stats.mock.calls.length).toBeGreaterThan(0);
  });

  test('asks nothing in a hidden page, and resumes when the page is visible', async () => {
    const watched = inspectedTracker();
    const stats = vi.fn(watched.tracker.stats);
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    inspect({ ...watched.tracker, stats });
    expect(stats).not.toHaveBeenCalled();

    hidden.mockRestore();

    await expect.poll(() => stats.mock.calls.length).toBeGreaterThan(0);
  });

  test('has an attribute for whether it is open', async () => {
    const { inspector } = inspect(inspectedTracker().tracker, false);
    const box = inspector.shadowRoot?.querySelector('details');

    box?.toggleAttribute('open', true);

    await expect.poll(() => inspector.hasAttribute('open')).toBe(true);
    inspector.removeAttribute('open');
    expect(box?.open).toBe(false);
  });

  test('stops listening when it leaves the page, and starts again when it is back', async () => {
    const { tracker, listeners } = inspectedTracker();
    const { inspector } = inspect(tracker);
    expect(listeners()).toBe(8);

    inspector.remove();
    await expect.poll(listeners).toBe(0);

    document.body.append(inspector);
    expect(listeners()).toBe(8);
  });

  test('accepts another tracker in place of one', async () => {
    const [first, second] = [inspectedTracker(), inspectedTracker({ tracked: 4 })];
    const { inspector, text } = inspect(first.tracker);

    inspector.tracker = second.tracker;

    await expect.poll(first.listeners).toBe(0);
    await expect.poll(() => text('.outcomes')).toContain('waiting4');
  });
});

describe('the page’s tracker', () => {
  test('is found by itself, whenever it appears', async () => {
    const { text } = inspect();
    await expect.poll(() => text('.notices')).toContain('There is no tracker here');

    page.webengageRelay = inspectedTracker({ tracked: 2 }).tracker;

    await expect.poll(() => text('.outcomes')).toContain('waiting2');
    // As it is here.
    expect(text('.notices')).toMatch(/^The buffer can’t be read: .*indexedDB is not defined/);
  });

  test('is observed from its stub on, and asked for nothing until it has loaded', async () => {
    const queue: unknown[] = [['track'], ['identify'], ['flush']];
    const queued =
      (method: string) =>
      (...call: unknown[]) =>
        new Promise(() => queue.push([method, call]));
    page.webengageRelay = { queue, on: queued('on'), stats: queued('stats'), flush: queued('flush') };
    const { text, press } = inspect();

    await expect.poll(() => text('.notices')).toContain('has not loaded: 2 calls waiting');

    expect(queue.slice(3)).toEqual(Object.keys(EVENTS).map((name) => ['on', [name, expect.any(Function)]]));

    // Nor by the button: a queued flush would never be answered where the script is blocked.
    press('Flush now');
    await expect.poll(() => text('.said')).toBe('The tracker’s script has not loaded.');
    expect(queue.filter((call) => JSON.stringify(call).includes('flush'))).toHaveLength(1);
  });

  test('shows why it can’t start', async () => {
    const fails = () => Promise.reject(new RangeError('burst must be a whole number'));
    page.webengageRelay = {
      queue: Object.assign([], { push: () => {} }),
      on: fails,
      stats: fails,
      flush: fails,
    };
    const { text, press } = inspect();

    await expect.poll(() => text('.notices')).toContain('RangeError: burst must be a whole number');
    press('Flush now');
    await expect.poll(() => text('.said')).toBe('RangeError: burst must be a whole number');
  });

  test('may throw from flush, which is handled like a rejection', async () => {
    const flush = () => {
      throw new Error('not a tracker');
    };
    const { press, text } = inspect({ ...inspectedTracker().tracker, flush });

    press('Flush now');

    await expect.poll(() => text('.said')).toBe('Error: not a tracker');
  });

  test.each<[string, object | undefined]>([
    ['nothing', undefined],
    ['no ids', {}],
    ['missing issues', { id: 'a', issues: null }],
  ])('may report %s, and the page sees no error', async (_, payload) => {
    const watched = inspectedTracker({ tracked: 5 });
    const { text } = inspect(watched.tracker);

    for (const name of Object.keys(EVENTS)) watched.emit(name as keyof TrackerEvents, payload as never);

    expect(watched.reported).toEqual([]);
    await expect.poll(() => text('.outcomes')).toContain('waiting5');
  });

  test('is shown as not answering', async () => {
    const { tracker } = inspectedTracker();
    const { text } = inspect({ ...tracker, stats: () => new Promise(() => {}) });

    await expect
      .poll(() => text('.notices'), { timeout: 5_000 })
      .toContain('The tracker does not answer: no answer in 3 s');
  });

  test('is shown with an opt-out', async () => {
    localStorage.setItem('webengage-relay:https://t.example.com?choices', '1');
    const { text } = inspect(inspectedTracker().tracker);

    await expect.poll(() => text('.notices')).toContain('has opted out');
  });

  test('may be any other object, and nothing is thrown', async () => {
    page.webengageRelay = {
      on: () => {
        throw new Error('not a tracker');
      },
      stats: () => {
        throw new Error('not a tracker');
      },
    };
    const { text } = inspect();

    await expect.poll(() => text('.notices')).toContain('not a tracker');
  });
});

test('a tracker that was set before the element was defined is used', async () => {
  const early = document.createElement('relay-inspector');
  const { tracker } = inspectedTracker({ tracked: 3 });
  // As it lies there where the element is defined only later.
  Object.defineProperty(early, 'tracker', { value: tracker, configurable: true, writable: true });
  early.toggleAttribute('open', true);

  document.body.append(early);

  await expect.poll(() => partsOf(early).text('.outcomes')).toContain('waiting3');
});
