import { expect, test } from 'vitest';
import { apiReference } from './api-reference.ts';

test('docs/reference/api.md has every export, option and type, as declared', async () => {
  await expect(apiReference()).toMatchFileSnapshot('../docs/reference/api.md');
});

test('every export has a doc comment', () => {
  expect([...apiReference().matchAll(/^### (.+)\n\n```/gm)].map(([, name]) => name)).toEqual([]);
});
