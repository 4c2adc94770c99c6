import { describe, expect, test } from 'vitest';
import { ANSWERS } from '../../../src/cli/probe/answers.ts';
import { parseProfile } from '../../../src/cli/probe/profile.ts';
import { sandboxOrder } from '../../../src/cli/probe/sandbox-order.ts';
import { parseControl } from '../../../src/sandbox/control.ts';

const unknown = () => ({ value: 'unknown', evidence: 'not asked' });
const answers = Object.fromEntries(ANSWERS.map((name) => [name, unknown()]));
const PROFILE = { version: 1, probedAt: '2026-11-30T16:00:00.000Z', answers };

const parse = (profile: unknown) => parseProfile(JSON.stringify(profile));

describe('a profile', () => {
  test('is read as it was written', () => {
    expect(parse(PROFILE)).toEqual({ ok: true, profile: PROFILE });
  });

  test.each([
    ['is not JSON', '{'],
    ['version must be 1, not 2', JSON.stringify({ ...PROFILE, version: 2 })],
    ['the profile must be an object', '[]'],
    ['license is not a field of a profile', JSON.stringify({ ...PROFILE, license: '~abc' })],
    [
      'answers.success.value must be',
      JSON.stringify({ ...PROFILE, answers: { ...answers, success: { value: 204, evidence: '' } } }),
    ],
    ['answers.nulls is missing', JSON.stringify({ ...PROFILE, answers: { ...answers, nulls: undefined } })],
  ])('is refused if it is invalid, with field and remedy: %s', (message, text) => {
    const read = parseProfile(text);

    if (read.ok) throw new Error('it was read');
    expect(read.message).toContain(message);
    expect(read.message).toContain('webengage-relay probe');
  });

  test('without known answers leaves the sandbox at its defaults', () => {
    const read = parse(PROFILE);
    if (!read.ok) throw new Error(read.message);

    const played = parseControl(JSON.stringify(sandboxOrder(read.profile.answers)));

    expect(played).toEqual({ ok: true, control: { ...parsedDefaults(), dateForms: {} } });
  });
});

function parsedDefaults() {
  const parsed = parseControl('{}');
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.control;
}
