import { bare } from '../record/own-fields.ts';
import { randomId } from '../record/random-id.ts';
import { NO_VISITOR } from '../record/visitor.ts';
import { leadNow } from './clock.ts';
import type { Emit } from './events.ts';
import { MIN_SET_ASIDE, type Page } from './page.ts';
import type { Platform } from './platform.ts';
import { nameOf, type Settings } from './settings.ts';

/** The initial state of a page load. Nothing is opened, read, locked or sent. */
export function createPage(platform: Platform, settings: Settings, emit: Emit): Page {
  const name = nameOf(settings.endpoint);
  const session = randomId(platform.chance.bytes);
  const records = platform.store(name, (why) => {
    page.isDegraded = true;
    emit('degraded', { reason: `${why}` });
  });
  const page: Page = bare({
    ...platform,
    settings,
    emit,
    endpointName: name,
    session,
    records,
    exclusive: platform.exclusive(name),
    relayLead: leadNow(platform),
    visitor: NO_VISITOR,
    choices: 0,
    seq: 0,
    spillTexts: bare({}),
    writing: [],
    written: Promise.resolve(),
    drained: Promise.resolve(),
    unsettled: bare({}),
    isWhole: false,
    reach: 0,
    skippedCount: 0,
    batchSize: settings.batchSize,
    setAside: [],
    maxSetAside: MIN_SET_ASIDE,
    appendedMeanwhile: 0,
    dueBefore: Number.NEGATIVE_INFINITY,
    sentOnUnload: [],
    leaveFullAt: 0,
    leavesUntil: 0,
  });
  return page;
}
