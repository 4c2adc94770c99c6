import { expect, test } from 'vitest';
import { firstPage } from '../../../src/cli/dev/starter-page.ts';
import { README_STUB } from '../../readme-stub.ts';

test('it has exactly the script tag for each page, before any call', () => {
  const html = firstPage({ relayUrl: 'http://localhost:1', sandboxUrl: 'http://localhost:2' });
  const tag = `${README_STUB}\n<script async src="http://localhost:1/tracker.js"></script>`;

  const [before = '', after = ''] = html.split(tag);
  expect(before).not.toContain('webengageRelay');
  expect(after).toContain('webengageRelay.track(');
});
