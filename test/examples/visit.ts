import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventsReceived } from '../journeys/received.ts';
import type { Stack } from '../journeys/stack.ts';

/** A page of an example, and what its browser complains about. */
export type Visit = { readonly page: Page; readonly errors: readonly string[] };

export async function open(context: BrowserContext, url: string): Promise<Visit> {
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  // Until then a page that a server has rendered may not listen to its buttons.
  await page.goto(url, { waitUntil: 'networkidle' });
  return { page, errors };
}

export const press = (page: Page, name: string) => page.getByRole('button', { name }).click();

/** Goes from the shop's first page to the mug's. True if the browser loaded no document for that. */
export async function goToMug(page: Page): Promise<boolean> {
  await page.evaluate('globalThis.isSameDocument = true');
  await page.getByRole('link', { name: 'A mug' }).click();
  await page.waitForURL('**/mug');
  await expect.poll(() => page.title()).toBe('A mug');
  // Nobody presses a button sooner. By the page's own timers the page view, which waits for the title, comes first.
  await page.evaluate('new Promise((looked) => setTimeout(looked, 100))');
  return page.evaluate('globalThis.isSameDocument === true');
}

/** Leaves in the moment in which the mug is in the cart. */
export async function buyAndLeave(page: Page): Promise<void> {
  await press(page, 'Add to cart');
  await page.goto('about:blank');
}

/** WebEngage has the records of one visit, each once and in order, and no others. */
export async function expectVisit(stack: Stack, url: string): Promise<void> {
  const view = (path: string, title: string) => ({
    anonymousId: expect.any(String),
    eventName: 'Page Viewed',
    eventTime: expect.any(String),
    eventData: expect.objectContaining({ URL: url + path, Path: path, Title: title }),
  });

  expect(await eventsReceived(stack, 3)).toEqual([
    view('/', 'The shop'),
    view('/mug', 'A mug'),
    {
      userId: 'johndoe',
      eventName: 'Added to Cart',
      eventTime: expect.any(String),
      eventData: { 'Product ID': 1337, Price: 39.8 },
    },
  ]);
  expect((await stack.received()).users).toEqual([{ userId: 'johndoe', email: 'john@doe.com' }]);
}
