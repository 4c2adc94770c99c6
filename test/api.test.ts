import { expect, test } from 'vitest';
import { apiReference } from './api-reference.ts';

test('docs/reference/api.md has every export, option and type, as they are declared', async () => {
  await expect(apiReference()).toMatchFileSnapshot('../docs/reference/api.md');
});

test('whatever is exported has a word on what it is', () => {
  expect([...apiReference().matchAll(/^### (.+)\n\n```/gm)].map(([, name]) => name)).toEqual([]);
});
