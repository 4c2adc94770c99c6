import { resolveOptions, type TrackerOptions } from '../../../src/tracker/options.ts';
import { createPage } from '../../../src/tracker/page/create-page.ts';
import { fakePlatform } from '../platform.ts';
import { ENDPOINT } from './browser.ts';

/** The state of a page with no tracker around it, and what it is played on. */
export function fakePage(
  options: Partial<TrackerOptions> = {},
  fakes: Parameters<typeof fakePlatform>[0] = {},
) {
  const { platform, time, relay, storage } = fakePlatform(fakes);
  const settings = resolveOptions({ endpoint: ENDPOINT, ...options });
  return { page: createPage(platform, settings, () => {}), time, relay, storage };
}
