import { readFileSync } from 'node:fs';
import { safeParse } from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  batchSchema,
  MAX_AGE_MS,
  MAX_BODY_BYTES,
  MAX_REQUEST_RECORDS,
  PROTOCOL_VERSION,
} from '../src/contract/batch.ts';
import { eventFields } from '../src/contract/event.ts';
import { MAX_ISSUES } from '../src/contract/issue.ts';
import { readRecord } from '../src/contract/read-record.ts';
import { MAX_DEPTH, MAX_PER_TYPE } from '../src/contract/rules/attributes.ts';
import { userFields } from '../src/contract/user.ts';
import { sample } from './samples/samples.ts';
import { tableUnder } from './tables.ts';

const DOCUMENT = 'docs/reference/wire-protocol.md';
const document = readFileSync(DOCUMENT, 'utf8');
const source = (file: string) => readFileSync(`src/${file}`, 'utf8');

/** The names of a type's fields, as the source declares it. */
function fieldsOf(file: string, type: string): readonly string[] {
  const [, declared = ''] = new RegExp(`export type ${type} = \\{(.*?)\\n\\};`, 's').exec(source(file)) ?? [];
  return [...declared.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name);
}

/** A number that the source declares under a name. */
function constant(file: string, name: string): number {
  const [, value = ''] = new RegExp(`const ${name} = ([\\d_]+);`).exec(source(file)) ?? [];
  return Number(value.replaceAll('_', ''));
}

const namesIn = (cell = '') => [...cell.matchAll(/\w+/g)].map(([name]) => name);

describe('the request', () => {
  const { text } = sample('docs/reference/wire-protocol.md#request json');

  test('has the fields of the schema', () => {
    const listed = tableUnder(document, 'Envelope').map(([field]) => field);

    expect(listed.toSorted()).toEqual(Object.keys(batchSchema.entries).toSorted());
  });

  test('requires the fields that the schema requires', () => {
    const required = tableUnder(document, 'Envelope')
      .filter(([, isRequired]) => isRequired === 'yes')
      .map(([field]) => field);
    const inSchema = Object.entries(batchSchema.entries).filter(([, { type }]) => `${type}` !== 'optional');

    expect(required.toSorted()).toEqual(inSchema.map(([name]) => name).toSorted());
  });

  test('has the records’ fields of the contract', () => {
    const rows = tableUnder(document, 'Records').map(([fields, of]) => ({ names: namesIn(fields), of }));
    const listed = (kind: string) =>
      rows.filter(({ of }) => of === kind || of === 'both').flatMap(({ names }) => names);
    const ofEach = ['kind', 'id', 'age'];

    expect(listed('user').toSorted()).toEqual(
      [...ofEach, 'attributes', ...Object.keys(userFields)].toSorted(),
    );
    expect(listed('event').toSorted()).toEqual(
      [...ofEach, 'eventData', ...Object.keys(eventFields)].toSorted(),
    );
  });

  test('is accepted by the relay', () => {
    const read = safeParse(batchSchema, JSON.parse(text));

    expect(read.issues).toBeUndefined();
    for (const record of (read.output as { records: unknown[] }).records)
      expect(readRecord(record, false)).toMatchObject({ ok: true, repairs: [] });
  });
});

describe('the answer', () => {
  const { text } = sample('docs/reference/wire-protocol.md#answer json');
  const fields = fieldsOf('contract/answer.ts', 'Answer');

  test('has the fields of the code, in the sample and in the table', () => {
    expect(Object.keys(JSON.parse(text))).toEqual(fields);
    expect(tableUnder(document, 'Answer').map(([field]) => field)).toEqual(fields);
  });

  test('shows an issue and a repair with messages of the contract', () => {
    const { rejected, repaired } = JSON.parse(text);
    const { id: _, ...repair } = repaired[0];
    const visitor = { id: 'k3J9xQ2mVb7Lr0TzYw5NcA.17', userId: 'johndoe' };
    const event = readRecord({ kind: 'event', ...visitor, eventName: 'we_own' }, true);
    const user = readRecord({ kind: 'user', ...visitor, phone: '98765' }, true);

    expect(event).toMatchObject({ ok: false, issues: rejected[0].issues });
    expect(user).toMatchObject({ ok: true, repairs: [repair] });
  });
});

test('every error code is listed with its status, and no other is', () => {
  const [, declared = ''] = /const STATUS: .*? = \{(.*?)\n\};/s.exec(source('edge/http/responses.ts')) ?? [];
  const inCode = [...declared.matchAll(/(\w+): (\d{3}),/g)].map(([, code, status]) => [code, status]);
  const [, union = ''] = /export type RefusalCode =(.*?);\n/s.exec(source('contract/answer.ts')) ?? [];
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code);

  const listed = tableUnder(document, 'Errors').map(([code, status]) => [code, status]);

  expect(listed.toSorted()).toEqual(inCode.toSorted());
  expect(listed.map(([code]) => code).toSorted()).toEqual(codes.toSorted());
});

test('the limits are those of the code', () => {
  const listed = Object.fromEntries(
    tableUnder(document, 'Limits').map(([name = '', value = '']) => [
      name,
      Number.parseInt(value.replace(',', ''), 10),
    ]),
  );
  const nested = /MAX_NESTED_BYTES.*\{ attributes: (\d+) \* 1024, eventData: (\d+) \* 1024 \}/;
  const [, ofUser, ofEvent] = nested.exec(source('contract/rules/attributes.ts')) ?? [];

  expect(listed).toEqual({
    'records in a request': MAX_REQUEST_RECORDS,
    body: MAX_BODY_BYTES,
    'time to send the body': constant('edge/http/post-batch.ts', 'BODY_TIMEOUT_MS') / 1_000,
    'age of a record; older ones are rejected': MAX_AGE_MS / 86_400_000,
    'values in a record, and in the envelope': constant('contract/strict-json.ts', 'MAX_VALUES'),
    'levels in a record':
      constant('contract/strict-json.ts', 'MAX_DEPTH') -
      constant('contract/strict-json.ts', 'ENVELOPE_DEPTH'),
    'levels of attributes': MAX_DEPTH,
    'attributes of one type': MAX_PER_TYPE,
    'arrays and objects of an event, as JSON': Number(ofEvent),
    'arrays and objects of a user, as JSON': Number(ofUser),
    'length of an identity token': Number(
      /at most (\d+) characters/.exec(source('edge/auth/token-fault.ts'))?.[1],
    ),
  });
  expect(document).toContain(`version: ${PROTOCOL_VERSION}.`);
  expect(document).toContain(`up to ${MAX_ISSUES} \`issues\``);
  expect(document).toContain(
    `After ${constant('edge/http/issue-allowance.ts', 'MAX_REPORTED')} issues or repairs`,
  );
});
