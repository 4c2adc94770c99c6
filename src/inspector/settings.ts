import { ownFields, resolveOptions } from '../tracker/inspect.ts';

/** What finds a tracker's buffer, and says how fast it may send. */
export type InspectedSettings = Pick<
  ReturnType<typeof resolveOptions>,
  'endpoint' | 'burst' | 'requestsPerMinute'
>;

/** Where the settings of a tracker can stand in a page. */
export type SettingsSources = {
  readonly inspector: Element;
  readonly scripts: Iterable<HTMLScriptElement>;
  /** The `options` of the page's stub. Anything may stand there. */
  readonly options?: unknown;
  /** Where the inspector's own script comes from, if it has one: a relay, most likely. */
  readonly ownOrigin?: string | undefined;
};

// `/tracker.js` or `/tracker.full.js`, or under the name that says its hash.
const TRACKER = /\/tracker(\.full)?(\.\w{12})?\.js(?![^?#])/;

const NUMBERS = [
  ['burst', 'burst'],
  ['requestsPerMinute', 'requests-per-minute'],
] as const;

/**
 * The settings of the inspected tracker: from the inspector's own attributes, else from the stub, else from the attributes
 * of the tracker's script tag. A tracker's script sends to its own origin unless told otherwise. Undefined where nothing says where
 * the tracker sends to. Throws a `RangeError` for an impossible setting, as the tracker does.
 */
export function readSettings(sources: SettingsSources): InspectedSettings | undefined {
  const { inspector, scripts, ownOrigin } = sources;
  const options = ownFields<{ readonly [option: string]: unknown }>(Object(sources.options));
  const tag = [...scripts].find(({ src }) => TRACKER.test(src));
  const given = (option: string, attribute: string): unknown =>
    inspector.getAttribute(attribute) ??
    options[option] ??
    tag?.getAttribute(`data-${attribute}`) ??
    undefined;
  const endpoint = given('endpoint', 'endpoint') ?? (tag ? new URL(tag.src).origin : ownOrigin);
  if (endpoint === undefined) return undefined;
  const numbers = NUMBERS.flatMap(([option, attribute]) => {
    const value = given(option, attribute);
    return value === undefined ? [] : [[option, Number(value)] as const];
  });
  return resolveOptions({ endpoint: `${endpoint}`, ...Object.fromEntries(numbers) });
}
