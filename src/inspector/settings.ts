import { resolveOptions, type Settings } from '../tracker/options.ts';

/** What has to be known of a tracker to find its buffer, and to say how fast it may send. */
export type Known = Pick<Settings, 'endpoint' | 'burst' | 'requestsPerMinute'>;

// `/tracker.js` or `/tracker.full.js`, or under the name that says its hash.
const TRACKER = /\/tracker(\.full)?(\.\w{12})?\.js(?![^?#])/;

const NUMBERS = [
  ['burst', 'burst'],
  ['requestsPerMinute', 'requests-per-minute'],
] as const;

/**
 * The settings of the tracker that is inspected: as the inspector's own attributes say, or else as the attributes of the
 * tracker's script tag do, which sends to where it comes from unless told otherwise. Undefined where nothing says where the
 * tracker sends to. Throws a `RangeError` for an impossible one, as the tracker does.
 *
 * @param ownOrigin where the inspector's script comes from, if it is one of its own
 */
export function knownOf(
  inspector: Element,
  scripts: Iterable<HTMLScriptElement>,
  ownOrigin?: string,
): Known | undefined {
  const tag = [...scripts].find(({ src }) => TRACKER.test(src));
  const said = (name: string) =>
    inspector.getAttribute(name) ?? tag?.getAttribute(`data-${name}`) ?? undefined;
  const endpoint = said('endpoint') ?? (tag ? new URL(tag.src).origin : ownOrigin);
  if (endpoint === undefined) return undefined;
  const numbers = NUMBERS.flatMap(([option, attribute]) => {
    const value = said(attribute);
    return value === undefined ? [] : [[option, Number(value)] as const];
  });
  return resolveOptions({ endpoint, ...Object.fromEntries(numbers) });
}
