import { nameOf, type Settings } from '../options.ts';
import type { Platform } from '../platform/platform.ts';
import { randomId } from '../record/random-id.ts';
import type { RecordStore } from '../store/record-store.ts';
import { pageSpill, type Spill } from '../unload/spill.ts';
import { type Unsettled, unsettledRecords } from '../unload/unsettled.ts';
import { type Clock, createClock } from './clock.ts';
import type { Emit } from './events.ts';
import { type VisitorState, visitorState } from './visitor-state.ts';

/** What a tracker is made of, beside its add-ons. */
export type TrackerParts = { readonly settings: Settings; readonly platform: Platform; readonly emit: Emit };

/** What all parts of a tracker share in one page load. */
export type Page = Platform &
  TrackerParts & {
    /** Of all that the trackers of an endpoint share: database, lock, sync event. */
    readonly name: string;
    /** The page load. */
    readonly session: string;
    readonly clock: Clock;
    readonly visitor: VisitorState;
    readonly records: RecordStore;
    /** False once records no longer outlive the page. */
    readonly isDurable: () => boolean;
    readonly spill: Spill;
    readonly unsettled: Unsettled;
  };

export function createPage(parts: TrackerParts): Page {
  const { settings, platform, emit } = parts;
  const { time, chance, pageStorage } = platform;
  const name = nameOf(settings.endpoint);
  const session = randomId(chance.bytes);
  let isDurable = true;
  return {
    ...platform,
    ...parts,
    name,
    session,
    clock: createClock(time, session),
    visitor: visitorState(pageStorage, name),
    records: platform.store(name, (why) => {
      isDurable = false;
      emit('degraded', { reason: `${why}` });
    }),
    isDurable: () => isDurable,
    spill: pageSpill(pageStorage, name, session),
    unsettled: unsettledRecords(),
  };
}
