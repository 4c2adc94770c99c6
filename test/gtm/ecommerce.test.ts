import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readRecord } from '../../src/contract/read-record.ts';
import { idOf } from '../fakes/records.ts';
import { gtmPage } from './sandbox.ts';
import { callsIn, putStub } from './stub.ts';

// As Google's documents have them: https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
const ITEM = {
  item_id: 'SKU_12345',
  item_name: 'Stan and Friends Tee',
  affiliation: 'Google Merchandise Store',
  coupon: 'SUMMER_FUN',
  discount: 2.22,
  index: 0,
  item_brand: 'Google',
  item_category: 'Apparel',
  item_category2: 'Adult',
  item_variant: 'green',
  price: 10.01,
  quantity: 3,
};

const PRODUCT = {
  'Product ID': 'SKU_12345',
  Product: 'Stan and Friends Tee',
  Category: 'Apparel',
  'Category 2': 'Adult',
  Brand: 'Google',
  'Variant Title': 'green',
  Price: 10.01,
  Discount: 2.22,
  Quantity: 3,
  'Coupon Code': 'SUMMER_FUN',
};

const ORDER = {
  transaction_id: 'T_12345',
  value: 30.03,
  tax: 4.9,
  shipping: '5.99',
  currency: 'USD',
  coupon: 'SUMMER_SALE',
  items: [ITEM, { ...ITEM, item_id: 1337, price: '39.80' }],
};

function callsOf(event: unknown, ecommerce: unknown, data: object = {}) {
  const page = gtmPage({ dataLayer: { event, ecommerce } });
  putStub(page.window);
  const ending = page.fire({ tagType: 'ecommerce', ...data });
  return { ending, calls: callsIn(page.window) };
}

/** Event and name of each line of the document's table. */
const TABLE = [
  ...readFileSync('docs/guides/tag-manager.md', 'utf8').matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm),
].map(([, event = '', name = '']) => [event, name] as const);

test('the guide names every event that the tag offers', () => {
  const offered = /EVENTS = \[(.*?)\n\];/s.exec(
    readFileSync('gtm/template.tpl', 'utf8').split('- Ecommerce:')[1] ?? '',
  );
  const events = [...(offered?.[1] ?? '').matchAll(/event: '(\w+)', name: '([^']+)'/g)].map(([, a, b]) => [
    a,
    b,
  ]);

  expect(events.length).toBeGreaterThan(10);
  expect(TABLE).toEqual(events);
});

test.each(TABLE)('%s is %s, and the contract accepts it unchanged', (event, name) => {
  const { ending, calls } = callsOf(event, ORDER);

  expect(ending).toEqual({ succeeded: 1, failed: 0 });
  expect(calls.length).toBeGreaterThan(0);
  for (const [method, eventName, eventData] of calls) {
    expect([method, eventName]).toEqual(['track', name]);
    const record = { kind: 'event', id: idOf(1), userId: 'ada', eventName, eventData };
    expect(readRecord(record, false)).toMatchObject({ ok: true, repairs: [] });
  }
});

test('products in the cart are one event each, without the total of all', () => {
  expect(callsOf('add_to_cart', ORDER).calls).toEqual([
    ['track', 'Added to Cart', { Currency: 'USD', ...PRODUCT }],
    ['track', 'Added to Cart', { Currency: 'USD', ...PRODUCT, 'Product ID': '1337', Price: 39.8 }],
  ]);
});

test.each([undefined, [], null, 'SKU_12345', [null]])(
  'a product event without products, %j, tracks the rest',
  (items) => {
    expect(callsOf('add_to_cart', { currency: 'USD', value: 5, items }).calls).toEqual([
      ['track', 'Added to Cart', { Currency: 'USD', 'Total Price': 5 }],
    ]);
  },
);

test('an order is one event, with its products', () => {
  expect(callsOf('purchase', ORDER).calls).toEqual([
    [
      'track',
      'Order Completed',
      {
        Currency: 'USD',
        'Order ID': 'T_12345',
        'Total Price': 30.03,
        Tax: 4.9,
        Shipping: 5.99,
        'Coupon Code': 'SUMMER_SALE',
        Products: [PRODUCT, { ...PRODUCT, 'Product ID': '1337', Price: 39.8 }],
        'Number of Products': 2,
      },
    ],
  ]);
});

test('ids are text and amounts are numbers, whatever their type on the page', () => {
  const item = { item_id: 7, item_name: 8, price: '1e1', quantity: 'two', discount: '' };

  expect(callsOf('view_item', { items: [item] }).calls).toEqual([
    ['track', 'Product Viewed', { 'Product ID': '7', Product: '8', Price: 10 }],
  ]);
});

test('a long order names 50 products and counts all', () => {
  const items = Array.from({ length: 200 }, () => ITEM);
  const [, , eventData] = callsOf('purchase', { items }).calls[0] ?? [];

  expect(eventData).toMatchObject({ Products: Array(50).fill(PRODUCT), 'Number of Products': 200 });
});

test('the tag’s own properties are added and take precedence', () => {
  const properties = [
    { name: 'Shop', value: 'Berlin', type: 'text' },
    { name: 'Currency', value: 'EUR', type: 'text' },
  ];

  expect(callsOf('view_cart', { currency: 'USD', value: 1 }, { properties }).calls).toEqual([
    ['track', 'Cart Viewed', { Currency: 'EUR', 'Total Price': 1, Shop: 'Berlin' }],
  ]);
});

describe('another name', () => {
  test('of the account’s own is accepted', () => {
    const eventNames = [{ event: 'purchase', name: 'Checkout Completed' }];

    expect(callsOf('purchase', ORDER, { eventNames }).calls[0]?.[1]).toBe('Checkout Completed');
    expect(callsOf('refund', ORDER, { eventNames }).calls[0]?.[1]).toBe('Order Refunded');
  });

  test.each(['', 'we_bought', 'x'.repeat(50), undefined])('%j is not a name, and the tag fails', (name) => {
    const { ending, calls } = callsOf('purchase', ORDER, { eventNames: [{ event: 'purchase', name }] });

    expect([ending, calls]).toEqual([{ succeeded: 0, failed: 1 }, []]);
  });
});

test.each([
  ['gtm.js', ORDER],
  ['constructor', ORDER],
  [undefined, ORDER],
  ['purchase', undefined],
  ['purchase', null],
  ['purchase', [ITEM]],
  ['purchase', 'T_12345'],
])('a tag fails for the event %j with %j', (event, ecommerce) => {
  expect(callsOf(event, ecommerce)).toEqual({ ending: { succeeded: 0, failed: 1 }, calls: [] });
});
