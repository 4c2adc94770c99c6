import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRecord } from '../../src/contract/read-record.ts';
import { judgeRecord, toWire } from '../../src/inspector/judge.ts';
import { verdictMessage } from '../../src/inspector/messages.ts';
import { inspectedEvent, inspectedUser } from '../fakes/browser/inspected.ts';
import { idOf } from '../fakes/records.ts';

describe('a waiting record', () => {
  test('has no findings if the relay accepts it unchanged', () => {
    expect(judgeRecord(inspectedEvent(1))).toEqual([]);
    expect(judgeRecord(inspectedUser(1))).toEqual([]);
  });

  test('has findings with field and rule for what the relay cuts or leaves out', () => {
    const record = inspectedUser(1, { fields: { phone: '98765', company: 'x'.repeat(1_200), shoeSize: 42 } });

    expect(judgeRecord(record).map(({ path, done }) => [path, done])).toEqual([
      ['shoeSize', 'left_out'],
      ['phone', 'left_out'],
      ['company', 'cut'],
    ]);
  });

  test('has the reason for a refusal first', () => {
    const fields = { eventName: 'we_own', eventData: { we_x: 1 } };

    expect(judgeRecord(inspectedEvent(1, { fields })).map(({ path, done }) => [path, done])).toEqual([
      ['eventName', 'refused'],
      ['eventData.we_x', 'left_out'],
    ]);
  });

  test('is not affected by what a page has put on every object', () => {
    const spoilt = { userId: () => 'spoilt', eventTime: 7, phone: 7 };
    Object.assign(Object.prototype, spoilt);

    const findings = [inspectedEvent(1), inspectedUser(2, { fields: { x: 1 } })].flatMap(judgeRecord);

    for (const name of Object.keys(spoilt)) Reflect.deleteProperty(Object.prototype, name);
    expect(findings.map(({ path }) => path)).toEqual(['x']);
  });

  test('is refused if it is not JSON', () => {
    expect(judgeRecord(inspectedEvent(1, { fields: undefined }))).toEqual([
      { path: '', rule: 'must be JSON', done: 'refused' },
    ]);
  });
});

test('the inspector’s verdict on any record is the relay’s answer', () => {
  const name = fc.oneof(
    fc.constantFrom('email', 'phone', 'birthDate', 'gender', 'attributes', 'eventData'),
    fc.string(),
  );
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(1_000)));
  const fields = fc.dictionary(name, fc.oneof(fc.jsonValue(), text, fc.dictionary(text, fc.jsonValue())));
  const record = fc.oneof(
    fields.map((some) => inspectedUser(1, { fields: some })),
    fc.tuple(text, fields).map(([eventName, some]) => inspectedEvent(1, { fields: { ...some, eventName } })),
  );

  fc.assert(
    fc.property(record, (any) => {
      const read = readRecord(toWire({ ...any, id: idOf(1) }), true);
      const findings = judgeRecord(any);

      const refusals = findings.filter(({ done }) => done === 'refused');
      expect(refusals.length > 0).toBe(!read.ok);
      if (read.ok) expect(findings).toEqual(read.repairs);
      else expect(refusals.map(({ path }) => path)).toEqual(read.issues.map(({ path }) => path));
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('the guide explains each verdict, in the inspector’s words', () => {
  const guide = readFileSync('docs/guides/inspector.md', 'utf8');
  const verdictOf = (fields: { readonly [name: string]: unknown }) =>
    verdictMessage(judgeRecord(inspectedUser(1, { fields })));

  const verdicts = [{}, { phone: '98765', shoeSize: 42 }, { userId: '' }].map(verdictOf);

  expect(verdicts).toEqual(['accepts it', 'repairs 2 fields', 'refuses it']);
  for (const verdict of verdicts) expect(guide).toContain(`- \`${verdict}\`: `);
});
