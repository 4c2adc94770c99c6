import { describe, expect, test } from 'vitest';
import { lookAt } from '../../../src/cli/probe/read-back.ts';

const controls = { users: ['rp.x.first.', 'rp.x.last.'], event: 'rp.x.event.' };
const WHOLE = '{"data":{"a":"rp.x.first.","b":"rp.x.last."}}';

describe('an answer of the privacy API', () => {
  test.each([
    [200, WHOLE, { kind: 'profile', isWhole: true, hasEvents: false }],
    [201, `${WHOLE}"rp.x.event."`, { kind: 'profile', isWhole: true, hasEvents: true }],
    // Not yet all of it.
    [200, '{"a":"rp.x.first."}', { kind: 'profile', isWhole: false }],
    [200, '{"a":"rp.x.last."}', { kind: 'profile', isWhole: false }],
    [201, '{"expected_completion_time":"2026-12-07T00:00:00Z"}', { kind: 'receipt', status: 201 }],
    [200, '{}', { kind: 'nothing', status: 200 }],
    [200, '', { kind: 'nothing', status: 200 }],
    [400, '{}', { kind: 'refused', status: 400 }],
    [403, WHOLE, { kind: 'refused', status: 403 }],
    [404, '{}', { kind: 'refused', status: 404 }],
    // Neither yes nor no: it is asked again.
    [408, '{}', { kind: 'nothing', status: 408 }],
    [429, '{}', { kind: 'nothing', status: 429 }],
    [500, WHOLE, { kind: 'nothing', status: 500 }],
    [0, '', { kind: 'nothing', status: 0 }],
  ])('%d %s', (status, body, look) => {
    expect(lookAt({ status, body }, controls)).toMatchObject(look);
  });
});
