import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { relayFiles } from '../../../src/cli/init/project.ts';
import { readSettings } from '../../../src/edge/settings/settings.ts';

const ANSWERS = {
  name: 'shop-relay',
  license: '~abc',
  region: 'in',
  origins: 'https://shop.example.com',
  domain: '',
};
const config = readFileSync('wrangler.jsonc', 'utf8');

test('a project’s configuration is ours, except for its own settings', () => {
  const [{ text = '' } = {}] = relayFiles(ANSWERS, { config });

  const [ours, theirs] = [config, text].map((each) => each.split('\n'));
  const changed = theirs?.filter((line) => !ours?.includes(line)).map((line) => line.trim().split(':')[0]);
  expect(changed).toEqual([
    '"name"',
    '"main"',
    '"assets"',
    // The limit of requests: its id.
    '{ "name"',
    // For the free plan.
    "// On Cloudflare's free plan",
    '"WEBENGAGE_LICENSE_CODE"',
    '"WEBENGAGE_REGION"',
    '"ALLOWED_ORIGINS"',
  ]);
  expect(theirs).toHaveLength((ours?.length ?? 0) + 1);
});

test('the line for the free plan can be switched on, and the relay takes it', () => {
  const [{ text = '' } = {}] = relayFiles(ANSWERS, { config });

  const json = text.replace("// On Cloudflare's free plan: ", '').replace(/^\s*\/\/.*$/gm, '');
  const { vars } = JSON.parse(json);

  expect(vars).toMatchObject({ MAX_SUBREQUESTS: '50', WEBENGAGE_LICENSE_CODE: '~abc' });
  expect(readSettings({ ...vars, WEBENGAGE_API_KEY: 'a-key' })).toMatchObject({
    ok: true,
    settings: { maxSubrequests: 50 },
  });
});

test('an unexpected change of the template is an error', () => {
  const renamed = config.replace('"name": "webengage-relay"', '"name": "another"');

  expect(() => relayFiles(ANSWERS, { config: renamed })).toThrow('must hold "name"');
});

test('two Workers of one account do not share a request limit', () => {
  const limited = config.replace(
    '"triggers"',
    '"ratelimits": [{ "name": "A", "namespace_id": "90425", "simple": { "limit": 1, "period": 10 } }],\n  "triggers"',
  );
  const idOf = (name: string) =>
    /"namespace_id": "([^"]*)"/.exec(
      relayFiles({ ...ANSWERS, name }, { config: limited })[0]?.text ?? '',
    )?.[1];

  expect(idOf('shop-relay')).toMatch(/^[1-9]\d*$/);
  expect(idOf('shop-relay')).toBe(idOf('shop-relay'));
  expect(idOf('shop-relay')).not.toBe(idOf('other-relay'));
});
