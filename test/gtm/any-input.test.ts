import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRecord } from '../../src/contract/read-record.ts';
import { idOf } from '../fakes/records.ts';
import { gtmPage } from './sandbox.ts';
import { callsIn, putStub } from './stub.ts';
import { allParameters } from './template.ts';

// Halves of surrogate pairs among them, which `fc.string` by itself does not make.
const unit = fc.oneof(
  fc.constantFrom('a', '1', ' ', '\ud83d', '\ude42', '\u0000'),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
);

/** Whatever a page has in its data layer, and a variable makes of it. */
const anything = fc.anything({
  key: fc.oneof(fc.string({ unit }), fc.constantFrom('__proto__', 'constructor', 'we_x')),
  values: [
    fc.string({ unit }),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(
      undefined,
      null,
      '',
      'x'.repeat(1_200),
      '🙂'.repeat(700),
      '2018-09-15T18:29:00Z',
      '39.80',
    ),
  ],
  withDate: true,
  withMap: true,
});

const choicesOf = (parameter: string, column?: string) => {
  const found = allParameters().find(({ name }) => name === parameter);
  const from = column === undefined ? found : found?.simpleTableColumns?.find(({ name }) => name === column);
  return fc.constantFrom(...(from?.selectItems ?? []).map(({ value }) => value));
};

const text = fc.oneof(fc.string({ unit, maxLength: 60 }), anything);
const type = fc.oneof(choicesOf('properties', 'type'), anything);
const rows = (name: fc.Arbitrary<unknown>) =>
  fc.oneof(
    anything,
    fc.array(fc.oneof(fc.record({ name, value: anything, type }), anything), { maxLength: 60 }),
  );

const form = fc.record(
  {
    tagType: fc.oneof(choicesOf('tagType'), anything),
    relayUrl: fc.oneof(fc.constant('https://t.example.com'), text),
    script: fc.oneof(choicesOf('script'), anything),
    consent: fc.oneof(choicesOf('consent'), anything),
    consentType: fc.oneof(choicesOf('consentType'), anything),
    options: rows(fc.oneof(choicesOf('options', 'name'), text)),
    userId: text,
    profile: rows(fc.oneof(choicesOf('profile', 'name'), text)),
    attributes: rows(text),
    eventName: text,
    eventNames: fc.oneof(
      anything,
      fc.array(fc.record({ event: choicesOf('eventNames', 'event'), name: text })),
    ),
    properties: rows(text),
  },
  { requiredKeys: ['tagType'] },
);

const FIELDS = ['currency', 'value', 'transaction_id', 'tax', 'coupon', 'promotion_name'];
const ITEM_FIELDS = ['item_id', 'item_name', 'item_category', 'price', 'quantity', 'coupon', 'currency'];
const objectOf = (fields: readonly string[]) =>
  fc.record(Object.fromEntries(fields.map((field) => [field, anything])), { requiredKeys: [] });

const ecommerce = fc.oneof(
  anything,
  fc
    .tuple(
      objectOf(FIELDS),
      fc.oneof(anything, fc.array(fc.oneof(objectOf(ITEM_FIELDS), anything), { maxLength: 60 })),
    )
    .map(([order, items]) => ({ ...order, items })),
);

/** The record of a call that waits: none of an opt-in, or of a visitor who is not known. */
function recordOf([method, first, second]: readonly unknown[]): object | undefined {
  if (method === 'track') return { kind: 'event', eventName: first, eventData: second, userId: 'ada' };
  if (method !== 'identify') return undefined;
  return typeof first === 'string'
    ? { kind: 'user', userId: first, ...(second as object | undefined) }
    : { kind: 'user', anonymousId: 'a1', ...(first as object) };
}

test('a tag always ends once and makes no record that the relay refuses, for any form and data layer', () => {
  fc.assert(
    fc.property(
      form,
      fc.oneof(choicesOf('eventNames', 'event'), anything),
      ecommerce,
      fc.boolean(),
      (...given) => {
        const [data, event, order, hasStub] = given;
        const page = gtmPage({ dataLayer: { event, ecommerce: order } });
        if (hasStub) putStub(page.window);

        const ending = page.fire(data);
        page.scripts[0]?.blocked();

        expect(ending.succeeded + ending.failed).toBe(1);
        for (const call of callsIn(page.window)) {
          const record = recordOf(call);
          // As JSON, since that is how the relay gets it.
          if (record)
            expect(readRecord(JSON.parse(JSON.stringify({ id: idOf(1), ...record })), true).ok).toBe(true);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('the attributes of an ecommerce event need no repair, if they are small enough', () => {
  fc.assert(
    fc.property(choicesOf('eventNames', 'event'), ecommerce, rows(text), (event, order, properties) => {
      const page = gtmPage({ dataLayer: { event, ecommerce: order } });
      putStub(page.window);

      page.fire({ tagType: 'ecommerce', properties });

      for (const call of callsIn(page.window)) {
        const read = readRecord(JSON.parse(JSON.stringify({ id: idOf(1), ...recordOf(call) })), true);
        const rules = read.ok ? read.repairs.map(({ rule }) => rule) : ['refused'];
        expect(rules.filter((rule) => !rule.includes('bytes of arrays and objects'))).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});
