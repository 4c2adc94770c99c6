import { optional, picklist } from 'valibot';

function oneOf<const Options extends readonly string[]>(options: Options) {
  return picklist(options, ({ received }) => `must be ${options.join(' or ')}, not ${received}`);
}

/** What no document says about WebEngage's own SDK beside the REST API: a switch for each. */
export const sdkSwitches = {
  /** Whether REST records of an anonymous id are merged by a login that comes after them. */
  anonymousBefore: optional(oneOf(['merged', 'apart']), 'merged'),
  /** What becomes of REST records of an anonymous id that has logged in by then. */
  anonymousAfter: optional(oneOf(['merged', 'apart', 'lost']), 'merged'),
  /** The anonymous id after the SDK's `logout`. */
  idAfterLogout: optional(oneOf(['new', 'same']), 'new'),
  /** Whether `getAnonymousId` still answers while a user is logged in. */
  idAfterLogin: optional(oneOf(['answers', 'silent']), 'answers'),
};

/** How the SDK and its profiles behave. */
export type SdkSwitches = {
  readonly anonymousBefore: 'merged' | 'apart';
  readonly anonymousAfter: 'merged' | 'apart' | 'lost';
  readonly idAfterLogout: 'new' | 'same';
  readonly idAfterLogin: 'answers' | 'silent';
};
